"""Failure conditions of DEN0137 1.1-alp17: the 1.1-alp14 text, merged with what the compliance tests for alp17 expect."""

SOURCES = {
    "alp14": "spec 1.1-alp14",
    "alp14+acs": "spec 1.1-alp14, and tested by the ACS for alp17",
    "acs": "ACS for 1.1-alp17",
}

TABLE = """
RMI_VERSION alp14
    incompat_lower  ERROR_INPUT only an older incompatible version exists
    incompat_higher ERROR_INPUT only newer incompatible versions exist
RMI_GRANULE_DELEGATE alp14
    gran_align ERROR_INPUT addr not granule aligned
    gran_bound ERROR_INPUT addr outside delegable memory
    gran_state ERROR_INPUT granule addr not in state UNDELEGATED
RMI_GRANULE_UNDELEGATE alp14
    gran_align ERROR_INPUT addr not granule aligned
    gran_bound ERROR_INPUT addr outside delegable memory
    gran_state ERROR_INPUT granule addr not in state DELEGATED
RMI_DATA_CREATE alp14
    src_align   ERROR_INPUT src not granule aligned
    src_pas     ERROR_INPUT src not in Non-secure PAS
    data_align  ERROR_INPUT data not granule aligned
    data_bound  ERROR_INPUT data not delegable DRAM
    data_state  ERROR_INPUT granule data not in state DELEGATED
    data_bound2 ERROR_INPUT PA above 48 bits without LPA2
    rd_align    ERROR_INPUT rd not granule aligned
    rd_bound    ERROR_INPUT rd outside delegable memory
    rd_state    ERROR_INPUT granule rd not in state RD
    ipa_align   ERROR_INPUT ipa not granule aligned
    ipa_bound   ERROR_INPUT ipa not a Protected IPA
    realm_state ERROR_REALM realm not in NEW state
    rtt_walk    ERROR_RTT   RTT walk ended above the wanted level
    rtte_state  ERROR_RTT   entry reached by the walk has an unexpected state
RMI_DATA_CREATE_UNKNOWN alp14
    data_align  ERROR_INPUT data not granule aligned
    data_bound  ERROR_INPUT data not delegable DRAM
    data_state  ERROR_INPUT granule data not in state DELEGATED
    data_bound2 ERROR_INPUT PA above 48 bits without LPA2
    rd_align    ERROR_INPUT rd not granule aligned
    rd_bound    ERROR_INPUT rd outside delegable memory
    rd_state    ERROR_INPUT granule rd not in state RD
    ipa_align   ERROR_INPUT ipa not granule aligned
    ipa_bound   ERROR_INPUT ipa not a Protected IPA
    rtt_walk    ERROR_RTT   RTT walk ended above the wanted level
    rtte_state  ERROR_RTT   entry reached by the walk has an unexpected state
RMI_DATA_DESTROY alp14
    rd_align   ERROR_INPUT   rd not granule aligned
    rd_bound   ERROR_INPUT   rd outside delegable memory
    rd_state   ERROR_INPUT   granule rd not in state RD
    ipa_align  ERROR_INPUT   ipa not granule aligned
    ipa_bound  ERROR_INPUT   ipa not a Protected IPA
    rtt_walk   ERROR_RTT     RTT walk ended above the wanted level
    rtte_state ERROR_RTT     entry reached by the walk has an unexpected state
    aux_live   ERROR_RTT_AUX range is live in an auxiliary RTT tree
RMI_PDEV_AUX_COUNT alp14
    da_supp    ERROR_NOT_SUPPORTED device assignment not implemented
    flags_supp ERROR_INPUT         flag combination not supported
RMI_REALM_ACTIVATE alp14
    rd_align    ERROR_INPUT rd not granule aligned
    rd_bound    ERROR_INPUT rd outside delegable memory
    rd_state    ERROR_INPUT granule rd not in state RD
    realm_state ERROR_REALM realm not in NEW state
RMI_REALM_CREATE alp14
    params_align  ERROR_INPUT params_ptr not granule aligned
    params_pas    ERROR_INPUT params_ptr not in Non-secure PAS
    params_valid  ERROR_INPUT parameter structure not valid
    params_supp   ERROR_INPUT a requested feature is not supported
    alias         ERROR_INPUT two arguments name the same or overlapping memory
    rd_align      ERROR_INPUT rd not granule aligned
    rd_bound      ERROR_INPUT rd not delegable DRAM
    rd_state      ERROR_INPUT granule rd not in state DELEGATED
    rtt_align     ERROR_INPUT rtt_base not aligned to the size of the starting RTTs
    rtt_num_level ERROR_INPUT s2sz, rtt_level_start and rtt_num_start do not fit together
    rtt_state     ERROR_INPUT a starting RTT granule is not DELEGATED
    vmid_valid    ERROR_INPUT VMID not valid or already used
    mecid_bound   ERROR_INPUT mecid above the maximum
    mecid_state   ERROR_INPUT MEC already assigned as private
RMI_REALM_DESTROY alp14
    rd_align   ERROR_INPUT rd not granule aligned
    rd_bound   ERROR_INPUT rd outside delegable memory
    rd_state   ERROR_INPUT granule rd not in state RD
    realm_live ERROR_REALM realm still owns RECs, RTTs or data
RMI_REC_CREATE alp14
    params_align ERROR_INPUT params_ptr not granule aligned
    params_pas   ERROR_INPUT params_ptr not in Non-secure PAS
    rec_align    ERROR_INPUT rec_ptr not granule aligned
    rec_bound    ERROR_INPUT rec_ptr not delegable DRAM
    rec_state    ERROR_INPUT granule rec_ptr not in state DELEGATED
    rd_align     ERROR_INPUT rd not granule aligned
    rd_bound     ERROR_INPUT rd outside delegable memory
    rd_state     ERROR_INPUT granule rd not in state RD
    realm_state  ERROR_REALM realm not in NEW state
    num_recs     ERROR_REALM realm already has the maximum number of RECs
    mpidr_index  ERROR_INPUT MPIDR is not the next REC index
    num_aux      ERROR_INPUT num_aux differs from the count the AUX_COUNT command returns
    aux_align    ERROR_INPUT an auxiliary granule is not aligned
    aux_alias    ERROR_INPUT auxiliary granules alias each other or the object
    aux_state    ERROR_INPUT an auxiliary granule is not DELEGATED
RMI_REC_DESTROY alp14
    rec_align      ERROR_INPUT rec_ptr not granule aligned
    rec_bound      ERROR_INPUT rec_ptr outside delegable memory
    rec_gran_state ERROR_INPUT granule rec_ptr not in state REC
    rec_state      ERROR_REC   state in {RUNNING}
RMI_REC_ENTER alp14
    run_align      ERROR_INPUT run_ptr not granule aligned
    run_pas        ERROR_INPUT run_ptr not in Non-secure PAS
    rec_align      ERROR_INPUT rec_ptr not granule aligned
    rec_bound      ERROR_INPUT rec_ptr outside delegable memory
    rec_gran_state ERROR_INPUT granule rec_ptr not in state REC
    realm_new      ERROR_REALM realm not activated yet (index 0)
    system_off     ERROR_REALM realm is SYSTEM_OFF (index 1)
    rec_state      ERROR_REC   state in {RUNNING}
    rec_runnable   ERROR_REC   REC not runnable
    rec_mmio       ERROR_REC   emul_mmio set without an emulatable abort
    rec_gicv3      ERROR_REC   GICv3 entry state not valid
    rec_pending    ERROR_REC   REC has a pending operation
RMI_RTT_CREATE alp14
    rd_align    ERROR_INPUT rd not granule aligned
    rd_bound    ERROR_INPUT rd outside delegable memory
    rd_state    ERROR_INPUT granule rd not in state RD
    level_bound ERROR_INPUT level not allowed for this command
    ipa_align   ERROR_INPUT ipa not aligned to the level
    ipa_bound   ERROR_INPUT ipa outside the IPA space of the Realm
    rtt_align   ERROR_INPUT rtt not granule aligned
    rtt_bound   ERROR_INPUT rtt not delegable DRAM
    rtt_state   ERROR_INPUT granule rtt not in state DELEGATED
    rtt_bound2  ERROR_INPUT PA above 48 bits without LPA2
    rtt_walk    ERROR_RTT   RTT walk ended above the wanted level
    rtte_state  ERROR_RTT   entry reached by the walk has an unexpected state
RMI_RTT_DESTROY alp14
    rd_align    ERROR_INPUT rd not granule aligned
    rd_bound    ERROR_INPUT rd outside delegable memory
    rd_state    ERROR_INPUT granule rd not in state RD
    level_bound ERROR_INPUT level not allowed for this command
    ipa_align   ERROR_INPUT ipa not aligned to the level
    ipa_bound   ERROR_INPUT ipa outside the IPA space of the Realm
    rtt_walk    ERROR_RTT   RTT walk ended above the wanted level
    rtte_state  ERROR_RTT   entry reached by the walk has an unexpected state
    rtt_live    ERROR_RTT   RTT still live
    aux_ref     ERROR_RTT   RTT is referenced by an auxiliary tree
RMI_RTT_MAP_UNPROTECTED alp14
    attr_valid  ERROR_INPUT descriptor has bits not allowed for an Unprotected mapping
    rd_align    ERROR_INPUT rd not granule aligned
    rd_bound    ERROR_INPUT rd outside delegable memory
    rd_state    ERROR_INPUT granule rd not in state RD
    level_bound ERROR_INPUT level not allowed for this command
    addr_align  ERROR_INPUT output address not aligned to the level
    addr_bound  ERROR_INPUT output address above 48 bits without LPA2
    ipa_align   ERROR_INPUT ipa not aligned to the level
    ipa_bound   ERROR_INPUT ipa not an Unprotected IPA of this Realm
    rtt_walk    ERROR_RTT   RTT walk ended above the wanted level
    rtte_state  ERROR_RTT   entry reached by the walk has an unexpected state
RMI_RTT_READ_ENTRY alp14
    rd_align    ERROR_INPUT rd not granule aligned
    rd_bound    ERROR_INPUT rd outside delegable memory
    rd_state    ERROR_INPUT granule rd not in state RD
    level_bound ERROR_INPUT level not allowed for this command
    ipa_align   ERROR_INPUT ipa not aligned to the level
    ipa_bound   ERROR_INPUT ipa outside the IPA space of the Realm
RMI_RTT_UNMAP_UNPROTECTED alp14
    rd_align    ERROR_INPUT rd not granule aligned
    rd_state    ERROR_INPUT granule rd not in state RD
    level_bound ERROR_INPUT level not allowed for this command
    ipa_align   ERROR_INPUT ipa not aligned to the level
    ipa_bound   ERROR_INPUT ipa not an Unprotected IPA of this Realm
    rtt_walk    ERROR_RTT   RTT walk ended above the wanted level
    rtte_state  ERROR_RTT   entry reached by the walk has an unexpected state
RMI_VDEV_VALIDATE_MAPPING alp14+acs
    rd_align        ERROR_INPUT  rd not granule aligned
    rd_bound        ERROR_INPUT  rd outside delegable memory
    rd_state        ERROR_INPUT  granule rd not in state RD
    rec_align       ERROR_INPUT  rec_ptr not granule aligned
    rec_bound       ERROR_INPUT  rec_ptr outside delegable memory
    rec_gran_state  ERROR_INPUT  granule rec_ptr not in state REC
    rec_state       ERROR_REC/alp14 state in {RUNNING}
    rec_owner       ERROR_REC    REC belongs to another Realm
    pdev_align      ERROR_INPUT  pdev_ptr not granule aligned
    pdev_bound      ERROR_INPUT  pdev_ptr outside delegable memory
    pdev_gran_state ERROR_INPUT  granule pdev_ptr not in state PDEV
    vdev_align      ERROR_INPUT  vdev_ptr not granule aligned
    vdev_bound      ERROR_INPUT  vdev_ptr outside delegable memory
    vdev_gran_state ERROR_INPUT  granule vdev_ptr not in state VDEV
    vdev_pdev       ERROR_DEVICE VDEV belongs to another PDEV
    size_valid      ERROR_INPUT  top not above base
    base_bound      ERROR_INPUT  base is not where the pending request stands
    top_bound       ERROR_INPUT  top past the pending request
    base_align      ERROR_RTT/alp14 base not aligned to the level reached
    top_gran_align  ERROR_INPUT  top not granule aligned
    no_progress     ERROR_RTT/alp14 nothing could be done from base
    ncoh_attr       ERROR_RTT/alp14 non-coherent request but memory attribute is not non-cacheable
    ncoh_pa         ERROR_RTT/alp14 non-coherent request but PA is not non-coherent device memory
    coh_attr        ERROR_RTT/alp14 coherent request but memory attribute is not pass-through
    coh_pa          ERROR_RTT/alp14 coherent request but PA is not coherent device memory
    linear_map      ERROR_RTT/alp14 mapping does not give the PA range in order
    aux_live        ERROR_RTT/alp14 range is live in an auxiliary RTT tree
RMI_PSCI_COMPLETE alp14
    alias         ERROR_INPUT two arguments name the same or overlapping memory
    calling_align ERROR_INPUT calling_rec_ptr not granule aligned
    calling_bound ERROR_INPUT calling_rec_ptr outside delegable memory
    calling_state ERROR_INPUT granule calling_rec_ptr not in state REC
    target_align  ERROR_INPUT target_rec_ptr not granule aligned
    target_bound  ERROR_INPUT target_rec_ptr outside delegable memory
    target_state  ERROR_INPUT granule target_rec_ptr not in state REC
    pending       ERROR_INPUT no matching request pending on the REC
    owner         ERROR_INPUT objects belong to different Realms
    target        ERROR_INPUT MPIDR of the target differs from the PSCI argument
    status        ERROR_INPUT PSCI status not allowed here
RMI_RTT_FOLD alp14
    rd_align    ERROR_INPUT rd not granule aligned
    rd_bound    ERROR_INPUT rd outside delegable memory
    rd_state    ERROR_INPUT granule rd not in state RD
    level_bound ERROR_INPUT level not allowed for this command
    ipa_align   ERROR_INPUT ipa not aligned to the level
    ipa_bound   ERROR_INPUT ipa outside the IPA space of the Realm
    rtt_walk    ERROR_RTT   RTT walk ended above the wanted level
    rtte_state  ERROR_RTT   entry reached by the walk has an unexpected state
    rtt_homo    ERROR_RTT   RTT not homogeneous
    aux_ref     ERROR_RTT   RTT is referenced by an auxiliary tree
RMI_REC_AUX_COUNT alp14
    rd_align ERROR_INPUT rd not granule aligned
    rd_bound ERROR_INPUT rd outside delegable memory
    rd_state ERROR_INPUT granule rd not in state RD
RMI_RTT_INIT_RIPAS alp14
    rd_align       ERROR_INPUT rd not granule aligned
    rd_bound       ERROR_INPUT rd outside delegable memory
    rd_state       ERROR_INPUT granule rd not in state RD
    size_valid     ERROR_INPUT top not above base
    top_bound      ERROR_INPUT range not in Protected IPA space
    realm_state    ERROR_REALM realm not in NEW state
    base_align     ERROR_RTT   base not aligned to the level reached
    rtte_state     ERROR_RTT   entry reached by the walk has an unexpected state
    top_gran_align ERROR_INPUT top not granule aligned
    no_progress    ERROR_RTT   nothing could be done from base
RMI_RTT_SET_RIPAS alp14
    rd_align       ERROR_INPUT rd not granule aligned
    rd_bound       ERROR_INPUT rd outside delegable memory
    rd_state       ERROR_INPUT granule rd not in state RD
    rec_align      ERROR_INPUT rec_ptr not granule aligned
    rec_bound      ERROR_INPUT rec_ptr outside delegable memory
    rec_gran_state ERROR_INPUT granule rec_ptr not in state REC
    rec_state      ERROR_REC   state in {RUNNING}
    rec_owner      ERROR_REC   REC belongs to another Realm
    size_valid     ERROR_INPUT top not above base
    base_bound     ERROR_INPUT base is not where the pending request stands
    top_bound      ERROR_INPUT top past the pending request
    base_align     ERROR_RTT   base not aligned to the level reached and request not a no-op
    top_gran_align ERROR_INPUT top not granule aligned
    no_progress    ERROR_RTT   nothing could be done from base
    aux_live       ERROR_RTT   range is live in an auxiliary RTT tree
RMI_VSMMU_CREATE alp14
    da_supp        ERROR_NOT_SUPPORTED device assignment not implemented
    rd_align       ERROR_INPUT         rd not granule aligned
    rd_bound       ERROR_INPUT         rd outside delegable memory
    rd_state       ERROR_INPUT         granule rd not in state RD
    realm_state    ERROR_INPUT         realm not in NEW state
    vsmmu_align    ERROR_INPUT         vsmmu_ptr not granule aligned
    vsmmu_bound    ERROR_INPUT         vsmmu_ptr not delegable DRAM
    vsmmu_state    ERROR_INPUT         granule vsmmu_ptr not in state DELEGATED
    params_align   ERROR_INPUT         params_ptr not granule aligned
    params_pas     ERROR_INPUT         params_ptr not in Non-secure PAS
    params_valid   ERROR_INPUT         parameter structure not valid
    reg_base_align ERROR_INPUT         register range not granule aligned
    reg_base_bound ERROR_INPUT         register range not a Protected IPA range
RMI_VSMMU_DESTROY alp14
    da_supp     ERROR_NOT_SUPPORTED device assignment not implemented
    rd_align    ERROR_INPUT         rd not granule aligned
    rd_bound    ERROR_INPUT         rd outside delegable memory
    rd_state    ERROR_INPUT         granule rd not in state RD
    vsmmu_align ERROR_INPUT         vsmmu_ptr not granule aligned
    vsmmu_bound ERROR_INPUT         vsmmu_ptr outside delegable memory
    vsmmu_state ERROR_INPUT         granule vsmmu_ptr not in state VSMMU
    vsmmu_live  ERROR_DEVICE        VSMMU still in use
RMI_VSMMU_MAP alp14
    da_supp     ERROR_NOT_SUPPORTED device assignment not implemented
    rd_align    ERROR_INPUT         rd not granule aligned
    rd_bound    ERROR_INPUT         rd outside delegable memory
    rd_state    ERROR_INPUT         granule rd not in state RD
    level_bound ERROR_INPUT         level not allowed for this command
    realm_state ERROR_INPUT         realm not in NEW state
    vsmmu_align ERROR_INPUT         vsmmu_ptr not granule aligned
    vsmmu_bound ERROR_INPUT         vsmmu_ptr outside delegable memory
    vsmmu_state ERROR_INPUT         granule vsmmu_ptr not in state VSMMU
    ipa_align   ERROR_INPUT         ipa not aligned to the level
    ipa_bound   ERROR_INPUT         ipa below the register range
    rtt_walk    ERROR_RTT           RTT walk ended above the wanted level
    rtte_state  ERROR_RTT           entry reached by the walk has an unexpected state
    rtte_ripas  ERROR_RTT           RIPAS of the entry not EMPTY
    rtte_bound  ERROR_RTT           mapping passes the end of the register range
RMI_VSMMU_UNMAP alp14
    da_supp     ERROR_NOT_SUPPORTED device assignment not implemented
    rd_align    ERROR_INPUT         rd not granule aligned
    rd_bound    ERROR_INPUT         rd outside delegable memory
    rd_state    ERROR_INPUT         granule rd not in state RD
    ipa_align   ERROR_INPUT         ipa not granule aligned
    ipa_bound   ERROR_INPUT         ipa not a Protected IPA
    vsmmu_align ERROR_INPUT         vsmmu_ptr not granule aligned
    vsmmu_bound ERROR_INPUT         vsmmu_ptr outside delegable memory
    vsmmu_state ERROR_INPUT         granule vsmmu_ptr not in state VSMMU
    rtt_walk    ERROR_RTT           RTT walk ended above the wanted level
    rtte_state  ERROR_RTT           entry reached by the walk has an unexpected state
    rtte_addr   ERROR_RTT           entry does not map this VSMMU
    aux_live    ERROR_RTT_AUX       range is live in an auxiliary RTT tree
RMI_PSMMU_MSI_CONFIG alp14
    psmmu_valid  ERROR_INPUT not a known SMMU
    psmmu_msi    ERROR_INPUT SMMU cannot use MSIs
    gerror_valid ERROR_INPUT GERROR MSI address not valid
    eventq_valid ERROR_INPUT EVENTQ MSI address not valid
    priq_valid   ERROR_INPUT PRIQ MSI address not valid
RMI_PSMMU_IRQ_NOTIFY alp14
    psmmu_valid ERROR_INPUT not a known SMMU
RMI_PDEV_P2P_CONNECT alp14
    da_supp                 ERROR_NOT_SUPPORTED device assignment not implemented
    stream_align            ERROR_INPUT         stream_ptr not granule aligned
    stream_bound            ERROR_INPUT         stream_ptr not delegable DRAM
    stream_state            ERROR_INPUT         granule stream_ptr not in state DELEGATED
    pdev_1_align            ERROR_INPUT         pdev_1_ptr not granule aligned
    pdev_1_bound            ERROR_INPUT         pdev_1_ptr outside delegable memory
    pdev_1_state            ERROR_DEVICE        state not in {READY}
    pdev_1_p2p_stream_valid ERROR_DEVICE        PDEV already in a P2P stream
    pdev_2_align            ERROR_INPUT         pdev_2_ptr not granule aligned
    pdev_2_bound            ERROR_INPUT         pdev_2_ptr outside delegable memory
    pdev_2_state            ERROR_DEVICE        state not in {READY}
    pdev_2_p2p_stream_valid ERROR_DEVICE        PDEV already in a P2P stream
    ide_sid_bound           ERROR_INPUT         IDE stream id above 255
RMI_VDEV_MAP alp14+acs
    addr_align      ERROR_INPUT addr not granule aligned
    addr_bound      ERROR_INPUT addr not delegable device memory
    addr_state      ERROR_INPUT some granule of the device memory is not DELEGATED
    rd_align        ERROR_INPUT rd not granule aligned
    rd_bound        ERROR_INPUT rd outside delegable memory
    rd_state        ERROR_INPUT granule rd not in state RD
    vdev_align      ERROR_INPUT vdev_ptr not granule aligned
    vdev_bound      ERROR_INPUT vdev_ptr outside delegable memory
    vdev_gran_state ERROR_INPUT granule vdev_ptr not in state VDEV
    vdev_realm      ERROR_INPUT VDEV belongs to another Realm
    level_bound     ERROR_INPUT level not allowed for this command
    ipa_align       ERROR_INPUT ipa not aligned to the level
    ipa_bound       ERROR_INPUT ipa not a Protected IPA
    rtt_walk        ERROR_RTT   RTT walk ended above the wanted level
    rtte_state      ERROR_RTT   entry reached by the walk has an unexpected state
    rtte_ripas      ERROR_RTT/acs RIPAS of the entry not EMPTY
RMI_VDEV_UNMAP alp14+acs
    rd_align    ERROR_INPUT rd not granule aligned
    rd_bound    ERROR_INPUT rd outside delegable memory
    rd_state    ERROR_INPUT granule rd not in state RD
    level_bound ERROR_INPUT level not allowed for this command
    ipa_align   ERROR_INPUT ipa not aligned to the level
    ipa_bound   ERROR_INPUT ipa not a Protected IPA
    rtt_walk    ERROR_RTT   RTT walk ended above the wanted level
    rtte_state  ERROR_RTT   entry reached by the walk has an unexpected state
RMI_PDEV_ABORT alp14+acs
    da_supp         ERROR_NOT_SUPPORTED/alp14 device assignment not implemented
    pdev_align      ERROR_INPUT         pdev_ptr not granule aligned
    pdev_bound      ERROR_INPUT         pdev_ptr outside delegable memory
    pdev_gran_state ERROR_INPUT         granule pdev_ptr not in state PDEV
    pdev_state      ERROR_DEVICE        state not in {COMMUNICATING, HAS_KEY, NEW}
RMI_PDEV_COMMUNICATE alp14+acs
    da_supp         ERROR_NOT_SUPPORTED/alp14 device assignment not implemented
    pdev_align      ERROR_INPUT         pdev_ptr not granule aligned
    pdev_bound      ERROR_INPUT         pdev_ptr outside delegable memory
    pdev_gran_state ERROR_INPUT         granule pdev_ptr not in state PDEV
    data_align      ERROR_INPUT         data_ptr not granule aligned
    data_pas        ERROR_INPUT         data_ptr not in Non-secure PAS
    req_align       ERROR_INPUT         data.enter.req_addr not granule aligned
    req_pas         ERROR_INPUT         data.enter.req_addr not in Non-secure PAS
    resp_align      ERROR_INPUT         data.enter.resp_addr not granule aligned
    resp_pas        ERROR_INPUT         data.enter.resp_addr not in Non-secure PAS
    resp_len        ERROR_INPUT         resp_len larger than one granule
    comm_state      ERROR_DEVICE/alp14  no transaction in progress (comm state IDLE or ERROR)
RMI_PDEV_CREATE alp14+acs
    da_supp            ERROR_NOT_SUPPORTED/alp14 device assignment not implemented
    pdev_align         ERROR_INPUT         pdev_ptr not granule aligned
    pdev_bound         ERROR_INPUT         pdev_ptr not delegable DRAM
    pdev_state         ERROR_INPUT         granule pdev_ptr not in state DELEGATED
    params_align       ERROR_INPUT         params_ptr not granule aligned
    params_pas         ERROR_INPUT         params_ptr not in Non-secure PAS
    params_valid       ERROR_INPUT         parameter structure not valid
    flags_supp         ERROR_INPUT/alp14   flag combination not supported
    num_aux            ERROR_INPUT         num_aux differs from the count the AUX_COUNT command returns
    aux_align          ERROR_INPUT         an auxiliary granule is not aligned
    aux_alias          ERROR_INPUT         auxiliary granules alias each other or the object
    aux_state          ERROR_INPUT         an auxiliary granule is not DELEGATED
    ncoh_ide_sid_bound ERROR_INPUT/acs     non-coherent IDE stream id out of range
RMI_PDEV_DESTROY alp14+acs
    da_supp         ERROR_NOT_SUPPORTED/alp14 device assignment not implemented
    pdev_align      ERROR_INPUT         pdev_ptr not granule aligned
    pdev_bound      ERROR_INPUT         pdev_ptr outside delegable memory
    pdev_gran_state ERROR_INPUT         granule pdev_ptr not in state PDEV
    pdev_state      ERROR_DEVICE        state not in {STOPPED}
    pdev_p2p        ERROR_DEVICE/alp14  PDEV still in a P2P stream
RMI_PDEV_GET_STATE alp14+acs
    da_supp         ERROR_NOT_SUPPORTED/alp14 device assignment not implemented
    pdev_align      ERROR_INPUT         pdev_ptr not granule aligned
    pdev_bound      ERROR_INPUT         pdev_ptr outside delegable memory
    pdev_gran_state ERROR_INPUT         granule pdev_ptr not in state PDEV
RMI_PDEV_IDE_RESET alp14
    da_supp         ERROR_NOT_SUPPORTED device assignment not implemented
    pdev_align      ERROR_INPUT         pdev_ptr not granule aligned
    pdev_bound      ERROR_INPUT         pdev_ptr outside delegable memory
    pdev_gran_state ERROR_INPUT         granule pdev_ptr not in state PDEV
    pdev_conn       ERROR_DEVICE        PDEV has no non-coherent IDE stream
    pdev_state      ERROR_DEVICE        state not in {READY}
RMI_PDEV_IDE_KEY_REFRESH alp14
    da_supp         ERROR_NOT_SUPPORTED device assignment not implemented
    pdev_align      ERROR_INPUT         pdev_ptr not granule aligned
    pdev_bound      ERROR_INPUT         pdev_ptr outside delegable memory
    pdev_gran_state ERROR_INPUT         granule pdev_ptr not in state PDEV
    no_connection   ERROR_DEVICE        chosen IDE stream does not exist on this PDEV
    pdev_state      ERROR_DEVICE        state not in {READY}
RMI_PDEV_SET_PUBKEY alp14+acs
    da_supp            ERROR_NOT_SUPPORTED/alp14 device assignment not implemented
    pdev_align         ERROR_INPUT         pdev_ptr not granule aligned
    pdev_bound         ERROR_INPUT         pdev_ptr outside delegable memory
    pdev_gran_state    ERROR_INPUT         granule pdev_ptr not in state PDEV
    params_align       ERROR_INPUT         params_ptr not granule aligned
    params_pas         ERROR_INPUT         params_ptr not in Non-secure PAS
    key_len_oflow      ERROR_INPUT         key_len above 1024
    key_invalid        ERROR_INPUT         key not valid for the algorithm (for example its length)
    pdev_state         ERROR_DEVICE        state not in {NEEDS_KEY}
    metadata_len_oflow ERROR_INPUT/acs     metadata_len above 1024
    metadata_invalid   ERROR_INPUT/acs     metadata not valid for the algorithm
RMI_PDEV_STOP alp14+acs
    da_supp         ERROR_NOT_SUPPORTED/alp14 device assignment not implemented
    pdev_align      ERROR_INPUT         pdev_ptr not granule aligned
    pdev_bound      ERROR_INPUT         pdev_ptr outside delegable memory
    pdev_gran_state ERROR_INPUT         granule pdev_ptr not in state PDEV
    pdev_state      ERROR_DEVICE        state in {COMMUNICATING, STOPPED, STOPPING}
    num_vdevs       ERROR_DEVICE        PDEV still has VDEVs
RMI_RTT_AUX_CREATE alp14
    rd_align    ERROR_INPUT   rd not granule aligned
    rd_bound    ERROR_INPUT   rd outside delegable memory
    rd_state    ERROR_INPUT   granule rd not in state RD
    level_bound ERROR_INPUT   level not allowed for this command
    ipa_align   ERROR_INPUT   ipa not aligned to the level
    ipa_bound   ERROR_INPUT   ipa not a Protected IPA
    index_bound ERROR_INPUT   RTT tree index not usable (no per-plane trees, primary tree, or above num_aux_planes)
    rtt_align   ERROR_INPUT   rtt not granule aligned
    rtt_bound   ERROR_INPUT   rtt not delegable DRAM
    rtt_state   ERROR_INPUT   granule rtt not in state DELEGATED
    rtt_bound2  ERROR_INPUT   PA above 48 bits without LPA2
    rtt_walk    ERROR_RTT_AUX RTT walk ended above the wanted level
    rtte_state  ERROR_RTT_AUX entry reached by the walk has an unexpected state
RMI_RTT_AUX_DESTROY alp14
    rd_align    ERROR_INPUT   rd not granule aligned
    rd_bound    ERROR_INPUT   rd outside delegable memory
    rd_state    ERROR_INPUT   granule rd not in state RD
    level_bound ERROR_INPUT   level not allowed for this command
    ipa_align   ERROR_INPUT   ipa not aligned to the level
    ipa_bound   ERROR_INPUT   ipa not a Protected IPA
    index_bound ERROR_INPUT   RTT tree index not usable (no per-plane trees, primary tree, or above num_aux_planes)
    rtt_walk    ERROR_RTT_AUX RTT walk ended above the wanted level
    rtte_state  ERROR_RTT_AUX entry reached by the walk has an unexpected state
    rtt_live    ERROR_RTT_AUX RTT still live
RMI_RTT_AUX_FOLD alp14
    rd_align    ERROR_INPUT   rd not granule aligned
    rd_bound    ERROR_INPUT   rd outside delegable memory
    rd_state    ERROR_INPUT   granule rd not in state RD
    level_bound ERROR_INPUT   level not allowed for this command
    ipa_align   ERROR_INPUT   ipa not aligned to the level
    ipa_bound   ERROR_INPUT   ipa not a Protected IPA
    index_bound ERROR_INPUT   RTT tree index not usable (no per-plane trees, primary tree, or above num_aux_planes)
    rtt_walk    ERROR_RTT_AUX RTT walk ended above the wanted level
    rtte_state  ERROR_RTT_AUX entry reached by the walk has an unexpected state
    rtt_homo    ERROR_RTT_AUX RTT not homogeneous
RMI_RTT_AUX_MAP_PROTECTED alp14
    rd_align       ERROR_INPUT   rd not granule aligned
    rd_bound       ERROR_INPUT   rd outside delegable memory
    rd_state       ERROR_INPUT   granule rd not in state RD
    ipa_align      ERROR_INPUT   ipa not granule aligned
    ipa_bound      ERROR_INPUT   ipa not a Protected IPA
    index_bound    ERROR_INPUT   RTT tree index not usable (no per-plane trees, primary tree, or above num_aux_planes)
    pri_unassigned ERROR_RTT     primary entry maps nothing
    pri_ram        ERROR_RTT     primary entry is data with RIPAS not RAM
    pri_dev        ERROR_RTT     primary entry is device memory with RIPAS not DEV
    aux_destroyed  ERROR_RTT_AUX auxiliary entry is AUX_DESTROYED
    level          ERROR_RTT_AUX auxiliary walk ended above the primary walk
RMI_RTT_AUX_MAP_UNPROTECTED alp14
    rd_align    ERROR_INPUT rd not granule aligned
    rd_bound    ERROR_INPUT rd outside delegable memory
    rd_state    ERROR_INPUT granule rd not in state RD
    ipa_align   ERROR_INPUT ipa not aligned to the level
    ipa_bound   ERROR_INPUT ipa not an Unprotected IPA of this Realm
    index_bound ERROR_INPUT RTT tree index not usable (no per-plane trees, primary tree, or above num_aux_planes)
    pri_state   ERROR_RTT   primary entry is unassigned
RMI_PDEV_P2P_DISCONNECT alp14
    da_supp      ERROR_NOT_SUPPORTED device assignment not implemented
    stream_align ERROR_INPUT         stream_ptr not granule aligned
    stream_bound ERROR_INPUT         stream_ptr outside delegable memory
    stream_state ERROR_INPUT         granule stream_ptr not in state P2P_STREAM
    pdev_1_align ERROR_INPUT         pdev_1_ptr not granule aligned
    pdev_1_bound ERROR_INPUT         pdev_1_ptr outside delegable memory
    pdev_2_align ERROR_INPUT         pdev_2_ptr not granule aligned
    pdev_2_bound ERROR_INPUT         pdev_2_ptr outside delegable memory
    stream       ERROR_INPUT         PDEVs are not in this P2P stream
RMI_RTT_AUX_UNMAP_PROTECTED alp14
    rd_align    ERROR_INPUT   rd not granule aligned
    rd_bound    ERROR_INPUT   rd outside delegable memory
    rd_state    ERROR_INPUT   granule rd not in state RD
    ipa_align   ERROR_INPUT   ipa not granule aligned
    ipa_bound   ERROR_INPUT   ipa not a Protected IPA
    index_bound ERROR_INPUT   RTT tree index not usable (no per-plane trees, primary tree, or above num_aux_planes)
    rtte_state  ERROR_RTT_AUX entry reached by the walk has an unexpected state
RMI_RTT_AUX_UNMAP_UNPROTECTED alp14
    rd_align    ERROR_INPUT rd not granule aligned
    rd_bound    ERROR_INPUT rd outside delegable memory
    rd_state    ERROR_INPUT granule rd not in state RD
    ipa_align   ERROR_INPUT ipa not aligned to the level
    ipa_bound   ERROR_INPUT ipa not an Unprotected IPA of this Realm
    index_bound ERROR_INPUT RTT tree index not usable (no per-plane trees, primary tree, or above num_aux_planes)
RMI_VDEV_ABORT acs
    da_supp         ERROR_NOT_SUPPORTED/alp14 device assignment not implemented
    vdev_align      ERROR_INPUT/alp14+acs vdev_ptr not granule aligned
    vdev_bound      ERROR_INPUT/alp14+acs vdev_ptr outside delegable memory
    vdev_gran_state ERROR_INPUT/alp14+acs granule vdev_ptr not in state VDEV
    comm_state      ERROR_DEVICE/alp14  comm state is IDLE
    rd_align        ERROR_INPUT         rd not granule aligned
    rd_bound        ERROR_INPUT         rd outside delegable memory
    rd_gran_state   ERROR_INPUT         granule rd not in state RD
    pdev_align      ERROR_INPUT         pdev_ptr not granule aligned
    pdev_bound      ERROR_INPUT         pdev_ptr outside delegable memory
    pdev_gran_state ERROR_INPUT         granule pdev_ptr not in state PDEV
    vdev_realm      ERROR_INPUT         VDEV belongs to another Realm
    vdev_pdev       ERROR_DEVICE        VDEV belongs to another PDEV
RMI_VDEV_COMMUNICATE alp14+acs
    da_supp         ERROR_NOT_SUPPORTED/alp14 device assignment not implemented
    pdev_align      ERROR_INPUT         pdev_ptr not granule aligned
    pdev_bound      ERROR_INPUT         pdev_ptr outside delegable memory
    pdev_gran_state ERROR_INPUT         granule pdev_ptr not in state PDEV
    vdev_align      ERROR_INPUT         vdev_ptr not granule aligned
    vdev_bound      ERROR_INPUT         vdev_ptr outside delegable memory
    vdev_gran_state ERROR_INPUT         granule vdev_ptr not in state VDEV
    data_align      ERROR_INPUT         data_ptr not granule aligned
    data_pas        ERROR_INPUT         data_ptr not in Non-secure PAS
    req_align       ERROR_INPUT         data.enter.req_addr not granule aligned
    req_pas         ERROR_INPUT         data.enter.req_addr not in Non-secure PAS
    resp_align      ERROR_INPUT         data.enter.resp_addr not granule aligned
    resp_pas        ERROR_INPUT         data.enter.resp_addr not in Non-secure PAS
    resp_len        ERROR_INPUT         resp_len larger than one granule
    vdev_pdev       ERROR_DEVICE        VDEV belongs to another PDEV
    comm_state      ERROR_DEVICE/alp14  comm state is IDLE
    rd_align        ERROR_INPUT/acs     rd not granule aligned
    rd_bound        ERROR_INPUT/acs     rd outside delegable memory
    rd_gran_state   ERROR_INPUT/acs     granule rd not in state RD
RMI_VDEV_CREATE alp14+acs
    da_supp         ERROR_NOT_SUPPORTED/alp14 device assignment not implemented
    rd_align        ERROR_INPUT         rd not granule aligned
    rd_bound        ERROR_INPUT         rd outside delegable memory
    rd_state        ERROR_INPUT         granule rd not in state RD
    pdev_align      ERROR_INPUT         pdev_ptr not granule aligned
    pdev_bound      ERROR_INPUT         pdev_ptr outside delegable memory
    pdev_gran_state ERROR_INPUT         granule pdev_ptr not in state PDEV
    pdev_state      ERROR_DEVICE        state not in {READY}
    vdev_align      ERROR_INPUT         vdev_ptr not granule aligned
    vdev_bound      ERROR_INPUT         vdev_ptr not delegable DRAM
    vdev_gran_state ERROR_INPUT         granule vdev_ptr not in state DELEGATED
    params_align    ERROR_INPUT         params_ptr not granule aligned
    params_pas      ERROR_INPUT         params_ptr not in Non-secure PAS
    params_valid    ERROR_INPUT/alp14   parameter structure not valid
    da_en           ERROR_REALM         realm was created without device assignment
    num_aux         ERROR_INPUT         num_aux differs from the count the AUX_COUNT command returns
    aux_align       ERROR_INPUT         an auxiliary granule is not aligned
    aux_alias       ERROR_INPUT         auxiliary granules alias each other or the object
    aux_state       ERROR_INPUT         an auxiliary granule is not DELEGATED
    vdev_id_free    ERROR_INPUT         vdev_id already in use in this Realm
    tdi_id_free     ERROR_INPUT         tdi_id already in use
    tdi_id_bound    ERROR_INPUT         tdi_id outside [rid_base, rid_top) of the PDEV
    vsmmu_align     ERROR_INPUT/alp14   vsmmu_addr not granule aligned
    vsmmu_bound     ERROR_INPUT/alp14   vsmmu_addr outside delegable memory
    vsmmu_state     ERROR_INPUT/alp14   vsmmu_addr is not a VSMMU granule
    vsid_free       ERROR_INPUT/alp14   vsid already in use
    vsmmu_compat    ERROR_INPUT/alp14   PDEV does not sit behind the SMMU of the VSMMU
    pdev_category   ERROR_INPUT/acs     PDEV category does not allow VDEVs
RMI_VDEV_DESTROY alp14+acs
    da_supp         ERROR_NOT_SUPPORTED/alp14 device assignment not implemented
    rd_align        ERROR_INPUT         rd not granule aligned
    rd_bound        ERROR_INPUT         rd outside delegable memory
    rd_gran_state   ERROR_INPUT         granule rd not in state RD
    pdev_align      ERROR_INPUT         pdev_ptr not granule aligned
    pdev_bound      ERROR_INPUT         pdev_ptr outside delegable memory
    pdev_gran_state ERROR_INPUT         granule pdev_ptr not in state PDEV
    vdev_align      ERROR_INPUT         vdev_ptr not granule aligned
    vdev_bound      ERROR_INPUT         vdev_ptr outside delegable memory
    vdev_gran_state ERROR_INPUT         granule vdev_ptr not in state VDEV
    vdev_realm      ERROR_DEVICE        VDEV belongs to another Realm
    vdev_pdev       ERROR_DEVICE        VDEV belongs to another PDEV
    vdev_state      ERROR_DEVICE        state not in {ERROR, NEW, UNLOCKED}
    num_map         ERROR_DEVICE/alp14  VDEV still has mapped memory
RMI_VDEV_GET_STATE alp14+acs
    da_supp         ERROR_NOT_SUPPORTED/alp14 device assignment not implemented
    vdev_align      ERROR_INPUT         vdev_ptr not granule aligned
    vdev_bound      ERROR_INPUT         vdev_ptr outside delegable memory
    vdev_gran_state ERROR_INPUT         granule vdev_ptr not in state VDEV
RMI_VDEV_UNLOCK alp14+acs
    da_supp         ERROR_NOT_SUPPORTED/alp14 device assignment not implemented
    rd_align        ERROR_INPUT         rd not granule aligned
    rd_bound        ERROR_INPUT         rd outside delegable memory
    rd_state        ERROR_INPUT         granule rd not in state RD
    vdev_align      ERROR_INPUT         vdev_ptr not granule aligned
    vdev_bound      ERROR_INPUT         vdev_ptr outside delegable memory
    vdev_gran_state ERROR_INPUT         granule vdev_ptr not in state VDEV
    vdev_realm      ERROR_INPUT         VDEV belongs to another Realm
    vdev_state      ERROR_DEVICE        state not in {ERROR, LOCKED, STARTED}
    comm_state      ERROR_DEVICE/alp14  comm state is not IDLE
    num_map         ERROR_DEVICE/alp14  VDEV still has mapped memory
    pdev_align      ERROR_INPUT/acs     pdev_ptr not granule aligned
    pdev_bound      ERROR_INPUT/acs     pdev_ptr outside delegable memory
    pdev_gran_state ERROR_INPUT/acs     granule pdev_ptr not in state PDEV
    vdev_pdev       ERROR_DEVICE/acs    VDEV belongs to another PDEV
RMI_RTT_SET_S2AP alp14
    rd_align       ERROR_INPUT   rd not granule aligned
    rd_bound       ERROR_INPUT   rd outside delegable memory
    rd_state       ERROR_INPUT   granule rd not in state RD
    rec_align      ERROR_INPUT   rec_ptr not granule aligned
    rec_bound      ERROR_INPUT   rec_ptr outside delegable memory
    rec_gran_state ERROR_INPUT   granule rec_ptr not in state REC
    rec_state      ERROR_REC     state in {RUNNING}
    rec_owner      ERROR_REC     REC belongs to another Realm
    size_valid     ERROR_INPUT   top not above base
    base_bound     ERROR_INPUT   base is not where the pending request stands
    top_bound      ERROR_INPUT   top past the pending request
    top_gran_align ERROR_INPUT   top not granule aligned
    base_align_pri ERROR_RTT     range does not cover whole entries of the tree
    base_align_aux ERROR_RTT_AUX range does not cover whole entries of the tree
RMI_MEC_SET_SHARED alp14
    state ERROR_INPUT MEC not in the state this command needs
RMI_MEC_SET_PRIVATE alp14
    state   ERROR_INPUT MEC not in the state this command needs
    members ERROR_INPUT MEC still has members
RMI_VDEV_COMPLETE alp14+acs
    rec_align  ERROR_INPUT  rec_ptr not granule aligned
    rec_bound  ERROR_INPUT  rec_ptr outside delegable memory
    recv_state ERROR_INPUT  granule rec_ptr not in state REC
    vdev_align ERROR_INPUT  vdev_ptr not granule aligned
    vdev_bound ERROR_INPUT  vdev_ptr outside delegable memory
    vdev_state ERROR_INPUT  granule vdev_ptr not in state VDEV
    pending    ERROR_INPUT  no matching request pending on the REC
    owner      ERROR_INPUT  objects belong to different Realms
    vdev_id    ERROR_INPUT  REC waits for another VDEV
    comm_state ERROR_DEVICE/alp14 comm state is not IDLE
RMI_VDEV_GET_INTERFACE_REPORT alp14+acs
    da_supp         ERROR_NOT_SUPPORTED/alp14 device assignment not implemented
    rd_align        ERROR_INPUT         rd not granule aligned
    rd_bound        ERROR_INPUT         rd outside delegable memory
    rd_state        ERROR_INPUT         granule rd not in state RD
    vdev_align      ERROR_INPUT         vdev_ptr not granule aligned
    vdev_bound      ERROR_INPUT         vdev_ptr outside delegable memory
    vdev_gran_state ERROR_INPUT         granule vdev_ptr not in state VDEV
    vdev_realm      ERROR_INPUT         VDEV belongs to another Realm
    vdev_state      ERROR_DEVICE        state not in {LOCKED, STARTED}
    comm_state      ERROR_DEVICE/alp14  comm state is not IDLE
    pdev_align      ERROR_INPUT/acs     pdev_ptr not granule aligned
    pdev_bound      ERROR_INPUT/acs     pdev_ptr outside delegable memory
    pdev_gran_state ERROR_INPUT/acs     granule pdev_ptr not in state PDEV
    vdev_pdev       ERROR_DEVICE/acs    VDEV belongs to another PDEV
RMI_VDEV_GET_MEASUREMENTS alp14+acs
    da_supp         ERROR_NOT_SUPPORTED/alp14 device assignment not implemented
    rd_align        ERROR_INPUT         rd not granule aligned
    rd_bound        ERROR_INPUT         rd outside delegable memory
    rd_state        ERROR_INPUT         granule rd not in state RD
    vdev_align      ERROR_INPUT         vdev_ptr not granule aligned
    vdev_bound      ERROR_INPUT         vdev_ptr outside delegable memory
    vdev_gran_state ERROR_INPUT         granule vdev_ptr not in state VDEV
    vdev_realm      ERROR_INPUT         VDEV belongs to another Realm
    vdev_state      ERROR_DEVICE/alp14  state not in {LOCKED, STARTED}
    comm_state      ERROR_DEVICE/alp14  comm state is not IDLE
    params_align    ERROR_INPUT         params_ptr not granule aligned
    params_pas      ERROR_INPUT/alp14   params_ptr not in Non-secure PAS
    indices         ERROR_INPUT/alp14   measurement index 0 or 255 selected
    pdev_align      ERROR_INPUT/acs     pdev_ptr not granule aligned
    pdev_bound      ERROR_INPUT/acs     pdev_ptr outside delegable memory
    pdev_gran_state ERROR_INPUT/acs     granule pdev_ptr not in state PDEV
    vdev_pdev       ERROR_DEVICE/acs    VDEV belongs to another PDEV
RMI_VDEV_LOCK alp14+acs
    da_supp         ERROR_NOT_SUPPORTED/alp14 device assignment not implemented
    rd_align        ERROR_INPUT         rd not granule aligned
    rd_bound        ERROR_INPUT         rd outside delegable memory
    rd_state        ERROR_INPUT         granule rd not in state RD
    vdev_align      ERROR_INPUT         vdev_ptr not granule aligned
    vdev_bound      ERROR_INPUT         vdev_ptr outside delegable memory
    vdev_gran_state ERROR_INPUT         granule vdev_ptr not in state VDEV
    vdev_realm      ERROR_INPUT         VDEV belongs to another Realm
    vdev_state      ERROR_DEVICE        state not in {UNLOCKED}
    comm_state      ERROR_DEVICE/alp14  comm state is not IDLE
    pdev_align      ERROR_INPUT/acs     pdev_ptr not granule aligned
    pdev_bound      ERROR_INPUT/acs     pdev_ptr outside delegable memory
    pdev_gran_state ERROR_INPUT/acs     granule pdev_ptr not in state PDEV
    vdev_pdev       ERROR_DEVICE/acs    VDEV belongs to another PDEV
RMI_VDEV_START alp14+acs
    da_supp         ERROR_NOT_SUPPORTED/alp14 device assignment not implemented
    rd_align        ERROR_INPUT         rd not granule aligned
    rd_bound        ERROR_INPUT         rd outside delegable memory
    rd_state        ERROR_INPUT         granule rd not in state RD
    vdev_align      ERROR_INPUT         vdev_ptr not granule aligned
    vdev_bound      ERROR_INPUT         vdev_ptr outside delegable memory
    vdev_gran_state ERROR_INPUT         granule vdev_ptr not in state VDEV
    vdev_realm      ERROR_INPUT         VDEV belongs to another Realm
    vdev_state      ERROR_DEVICE        state not in {LOCKED}
    comm_state      ERROR_DEVICE/alp14  comm state is not IDLE
    pdev_align      ERROR_INPUT/acs     pdev_ptr not granule aligned
    pdev_bound      ERROR_INPUT/acs     pdev_ptr outside delegable memory
    pdev_gran_state ERROR_INPUT/acs     granule pdev_ptr not in state PDEV
    vdev_pdev       ERROR_DEVICE/acs    VDEV belongs to another PDEV
RMI_VDEV_P2P_BIND alp14
    da_supp        ERROR_NOT_SUPPORTED device assignment not implemented
    rd_align       ERROR_INPUT         rd not granule aligned
    rd_bound       ERROR_INPUT         rd outside delegable memory
    rd_state       ERROR_INPUT         granule rd not in state RD
    rec_align      ERROR_INPUT         rec_ptr not granule aligned
    rec_bound      ERROR_INPUT         rec_ptr outside delegable memory
    rec_gran_state ERROR_INPUT         granule rec_ptr not in state REC
    rec_state      ERROR_REC           state in {RUNNING}
    rec_owner      ERROR_REC           REC belongs to another Realm
    stream_align   ERROR_INPUT         stream_ptr not granule aligned
    stream_bound   ERROR_INPUT         stream_ptr outside delegable memory
    stream_state   ERROR_INPUT         granule stream_ptr not in state P2P_STREAM
    pdev_1_align   ERROR_INPUT         pdev_1_ptr not granule aligned
    pdev_1_bound   ERROR_INPUT         pdev_1_ptr outside delegable memory
    pdev_1_stream  ERROR_INPUT         PDEV is not in this P2P stream
    pdev_2_align   ERROR_INPUT         pdev_2_ptr not granule aligned
    pdev_2_bound   ERROR_INPUT         pdev_2_ptr outside delegable memory
    pdev_2_stream  ERROR_INPUT         PDEV is not in this P2P stream
    vdev_1_align   ERROR_INPUT         vdev_1_ptr not granule aligned
    vdev_1_bound   ERROR_INPUT         vdev_1_ptr outside delegable memory
    vdev_1_realm   ERROR_INPUT         VDEV belongs to another Realm
    vdev_1_pdev    ERROR_INPUT         VDEV belongs to another PDEV
    vdev_1_comm    ERROR_DEVICE        VDEV comm state is not IDLE
    vdev_2_align   ERROR_INPUT         vdev_2_ptr not granule aligned
    vdev_2_bound   ERROR_INPUT         vdev_2_ptr outside delegable memory
    vdev_2_realm   ERROR_INPUT         VDEV belongs to another Realm
    vdev_2_pdev    ERROR_INPUT         VDEV belongs to another PDEV
    vdev_2_comm    ERROR_DEVICE        VDEV comm state is not IDLE
RMI_VDEV_P2P_UNBIND alp14
    da_supp         ERROR_NOT_SUPPORTED device assignment not implemented
    rd_align        ERROR_INPUT         rd not granule aligned
    rd_bound        ERROR_INPUT         rd outside delegable memory
    rd_state        ERROR_INPUT         granule rd not in state RD
    rec_align       ERROR_INPUT         rec_ptr not granule aligned
    rec_bound       ERROR_INPUT         rec_ptr outside delegable memory
    rec_gran_state  ERROR_INPUT         granule rec_ptr not in state REC
    rec_state       ERROR_REC           state in {RUNNING}
    rec_owner       ERROR_REC           REC belongs to another Realm
    stream_align    ERROR_INPUT         stream_ptr not granule aligned
    stream_bound    ERROR_INPUT         stream_ptr outside delegable memory
    stream_state    ERROR_INPUT         granule stream_ptr not in state P2P_STREAM
    pdev_1_align    ERROR_INPUT         pdev_1_ptr not granule aligned
    pdev_1_bound    ERROR_INPUT         pdev_1_ptr outside delegable memory
    pdev_1_stream   ERROR_INPUT         PDEV is not in this P2P stream
    pdev_2_align    ERROR_INPUT         pdev_2_ptr not granule aligned
    pdev_2_bound    ERROR_INPUT         pdev_2_ptr outside delegable memory
    pdev_2_stream   ERROR_INPUT         PDEV is not in this P2P stream
    vdev_1_align    ERROR_INPUT         vdev_1_ptr not granule aligned
    vdev_1_bound    ERROR_INPUT         vdev_1_ptr outside delegable memory
    vdev_1_realm    ERROR_INPUT         VDEV belongs to another Realm
    vdev_1_pdev     ERROR_INPUT         VDEV belongs to another PDEV
    vdev_1_comm     ERROR_DEVICE        VDEV comm state is not IDLE
    vdev_1_p2p_peer ERROR_DEVICE        VDEVs are not bound to each other
    vdev_2_align    ERROR_INPUT         vdev_2_ptr not granule aligned
    vdev_2_bound    ERROR_INPUT         vdev_2_ptr outside delegable memory
    vdev_2_realm    ERROR_INPUT         VDEV belongs to another Realm
    vdev_2_pdev     ERROR_INPUT         VDEV belongs to another PDEV
    vdev_2_comm     ERROR_DEVICE        VDEV comm state is not IDLE
    vdev_2_p2p_peer ERROR_DEVICE        VDEVs are not bound to each other
"""
