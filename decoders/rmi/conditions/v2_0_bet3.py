"""Failure conditions of DEN0137 2.0-bet3; a command that is not here has the list of 2.0-bet1."""

SOURCES = {
    "tf-rmm": "TF-RMM HEAD code, 2.0-bet2 level (what this firmware returns, not the list of the spec)",
    "spec": "spec 2.0-bet3",
    "bet1": "carried over from 2.0-bet1, not read again in the bet3 text",
}

TABLE = """
RMI_VERSION tf-rmm
    incompat ERROR_INPUT version asked for is not supported; lower and higher are still returned
RMI_RTT_DATA_MAP_INIT tf-rmm
    rmm_state   ERROR_GLOBAL RMM not ACTIVE (checked before the handler runs)
    flags       ERROR_INPUT  flags not 0 or 1
    src_pas     ERROR_INPUT  src not Non-secure memory
    data_state  ERROR_INPUT  data not DELEGATED
    rd_state    ERROR_INPUT  rd is not a Realm descriptor granule
    realm_state ERROR_REALM  realm not in NEW state
    ipa_bound   ERROR_INPUT  ipa not Protected or not aligned
    data_bound2 ERROR_INPUT  data above 48 bits without LPA2
    rtt_walk    ERROR_RTT    walk ended before level 3
    rtte_state  ERROR_RTT    entry already in use
RMI_REALM_ACTIVATE tf-rmm
    rmm_state   ERROR_GLOBAL RMM not ACTIVE (checked before the handler runs)
    rd_state    ERROR_INPUT  rd is not a Realm descriptor granule
    realm_state ERROR_REALM  realm not in NEW state
RMI_REALM_CREATE tf-rmm
    rmm_state    ERROR_GLOBAL RMM not ACTIVE (checked before the handler runs)
    params_pas   ERROR_INPUT  params_ptr not readable Non-secure memory
    params_valid ERROR_INPUT  s2sz, breakpoints, watchpoints, SVE, PMU, DA, MEC policy, level and
        number of start RTTs, planes, hash or RTT alignment not valid
    vmid         ERROR_GLOBAL no VMID left
    mec          ERROR_GLOBAL no memory encryption context left
    rtt_state    ERROR_INPUT  a start RTT granule is not DELEGATED
    rd_state     ERROR_INPUT  rd not DELEGATED
RMI_REALM_DESTROY tf-rmm
    rmm_state  ERROR_GLOBAL RMM not ACTIVE (checked before the handler runs)
    rd_state   ERROR_INPUT  rd is not a Realm descriptor granule
    rec_live   ERROR_REALM  Realm still owns RECs or other objects
    realm_live ERROR_REALM  entries in the start RTTs, or VDEVs
RMI_REC_CREATE tf-rmm
    rmm_state      ERROR_GLOBAL RMM not ACTIVE (checked before the handler runs)
    rec_gran_state ERROR_INPUT  rec not DELEGATED
    sro_busy       BUSY         no free operation context, some are being set up
    sro_blocked    BLOCKED      all operation contexts hold unfinished operations
    params_pas     ERROR_INPUT  params_ptr not readable Non-secure memory (reported by the last OP_CONTINUE, after reclaim)
    rd_state       ERROR_INPUT  rd is not a Realm descriptor granule (late)
    num_recs       ERROR_REALM  no more RECs possible (late)
    realm_state    ERROR_REALM  realm not in NEW state (late)
    mpidr_index    ERROR_INPUT  MPIDR is not the next REC index (late)
RMI_REC_DESTROY tf-rmm
    rmm_state      ERROR_GLOBAL RMM not ACTIVE (checked before the handler runs)
    sro_busy       BUSY         no free operation context, some are being set up
    sro_blocked    BLOCKED      all operation contexts hold unfinished operations
    rec_gran_state ERROR_INPUT  rec is not a REC granule
    rec_running    ERROR_REC    REC is running
RMI_REC_ENTER tf-rmm
    rmm_state      ERROR_GLOBAL RMM not ACTIVE (checked before the handler runs)
    run_pas        ERROR_INPUT  run_ptr not Non-secure memory
    rec_gran_state ERROR_INPUT  rec is not a REC granule
    rec_running    ERROR_REC    REC is running elsewhere
    realm_new      ERROR_REALM  realm not activated (index 0 at bet1)
    system_off     ERROR_REALM  realm is off (index 1 at bet1)
    rec_runnable   ERROR_REC    REC not runnable
    rec_pending    ERROR_REC    REC has a pending operation other than a VDEV request
    rec_gic        ERROR_REC    GIC state not valid
    inject_sea     ERROR_REC    inject_sea not allowed
    rec_mmio       ERROR_REC    emul_mmio not allowed
RMI_RTT_CREATE tf-rmm
    rmm_state   ERROR_GLOBAL RMM not ACTIVE (checked before the handler runs)
    rtt_state   ERROR_INPUT  rtt not DELEGATED
    rd_state    ERROR_INPUT  rd is not a Realm descriptor granule
    level_bound ERROR_INPUT  level not between start level + 1 and 3
    ipa_align   ERROR_INPUT  ipa not aligned to level - 1 or outside the IPA space
    rtt_bound2  ERROR_INPUT  rtt above 48 bits without LPA2
    rtt_walk    ERROR_RTT    walk ended before level - 1
    rtte_state  ERROR_RTT    entry is already a table
RMI_RTT_DESTROY tf-rmm
    rmm_state   ERROR_GLOBAL RMM not ACTIVE (checked before the handler runs)
    rd_state    ERROR_INPUT  rd is not a Realm descriptor granule
    level_bound ERROR_INPUT  level not between start level + 1 and 3
    ipa_align   ERROR_INPUT  ipa not aligned to level - 1 or outside the IPA space
    rtt_walk    ERROR_RTT    walk ended early or entry is no table
    rtt_live    ERROR_RTT    table still in use (level of the table)
    aux_ref     ERROR_RTT    referenced by an auxiliary tree
RMI_RTT_READ_ENTRY tf-rmm
    rmm_state   ERROR_GLOBAL RMM not ACTIVE (checked before the handler runs)
    rd_state    ERROR_INPUT  rd is not a Realm descriptor granule
    level_bound ERROR_INPUT  level not between start level and 3
    ipa_align   ERROR_INPUT  ipa not aligned to the level or outside the IPA space
RMI_RTT_DEV_VALIDATE spec
    rd_align             ERROR_INPUT  rd not granule aligned
    rd_bound             ERROR_INPUT  rd not in a tracked region
    rd_state             ERROR_INPUT  granule rd not in state RD
    rec_align            ERROR_INPUT  rec_ptr not granule aligned
    rec_bound            ERROR_INPUT  rec_ptr not in a tracked region
    rec_gran_state       ERROR_INPUT  granule rec_ptr not in state REC
    rec_state            ERROR_REC    REC is running
    rec_owner            ERROR_REC    REC belongs to another Realm
    vdev_id              ERROR_INPUT  VDEV of the request not found
    vdev_1_freshness     ERROR_DEVICE device state changed since the request
    size_valid           ERROR_INPUT  top not above base
    base_bound           ERROR_INPUT  base is not where the request stands
    top_bound            ERROR_INPUT  top past the request
    base_align           ERROR_RTT    base not aligned to the level reached
    top_gran_align       ERROR_INPUT  top not granule aligned
    no_progress          ERROR_RTT    nothing could be done from base
    ncoh_attr            ERROR_RTT    memory attribute does not fit a non-coherent request
    ncoh_pa              ERROR_RTT    PA is not non-coherent device memory
    coh_attr_passthrough ERROR_RTT    memory attribute is not pass-through
    coh_attr_cacheable   ERROR_RTT    memory attribute is not cacheable
    coh_pa               ERROR_RTT    PA is not coherent device memory
    order_pa             ERROR_RTT    PA does not have the wanted ordering
    linear_map           ERROR_RTT    mapping does not give the PA range in order
    vdev_pa_bound        ERROR_INPUT  PA outside the ranges of the VDEV
    aux_live             ERROR_RTT    range is live in an auxiliary tree
RMI_PSCI_COMPLETE tf-rmm
    rmm_state     ERROR_GLOBAL RMM not ACTIVE (checked before the handler runs)
    calling_align ERROR_INPUT  calling_rec_ptr not granule aligned
    target_align  ERROR_INPUT  target_rec_ptr not granule aligned
    alias         ERROR_INPUT  both name the same granule, or one is no REC
    pending       ERROR_INPUT  calling REC is running or has no PSCI request pending
    target        ERROR_INPUT  MPIDR of the target differs from the PSCI argument
    status        ERROR_INPUT  PSCI status not allowed here
RMI_RTT_FOLD tf-rmm
    rmm_state   ERROR_GLOBAL RMM not ACTIVE (checked before the handler runs)
    rd_state    ERROR_INPUT  rd is not a Realm descriptor granule
    level_bound ERROR_INPUT  level not between start level + 1 and 3
    ipa_align   ERROR_INPUT  ipa not aligned to level - 1 or outside the IPA space
    rtt_walk    ERROR_RTT    walk ended before level - 1
    rtte_state  ERROR_RTT    entry is no table
    aux_ref     ERROR_RTT    referenced by an auxiliary tree
    rtt_homo    ERROR_RTT    table not homogeneous
    fold_level  ERROR_RTT    a table with mappings cannot be folded at this level
RMI_RTT_INIT_RIPAS tf-rmm
    rmm_state   ERROR_GLOBAL RMM not ACTIVE (checked before the handler runs)
    size_valid  ERROR_INPUT  top not above base
    rd_state    ERROR_INPUT  rd is not a Realm descriptor granule
    bound       ERROR_INPUT  range not aligned or not Protected
    realm_state ERROR_REALM  realm not in NEW state
    base_align  ERROR_RTT    base not aligned to the level reached
    no_progress ERROR_RTT    nothing could be done from base
RMI_RTT_SET_RIPAS tf-rmm
    rmm_state      ERROR_GLOBAL  RMM not ACTIVE (checked before the handler runs)
    size_valid     ERROR_INPUT   top not above base or not aligned
    rd_state       ERROR_INPUT   rd is not a Realm descriptor granule
    rec_gran_state ERROR_INPUT   rec_ptr is not a REC granule
    rec_running    ERROR_REC     REC is running
    rec_owner      ERROR_REC     REC belongs to another Realm
    base_bound     ERROR_INPUT   base is not where the pending request stands
    top_bound      ERROR_INPUT   top past the pending request
    base_align     ERROR_RTT     base not aligned to the level reached
    aux_live       ERROR_RTT_AUX range is live in an auxiliary tree
    no_progress    ERROR_RTT     nothing could be done from base
RMI_RMM_CONFIG_SET tf-rmm
    rmm_state ERROR_GLOBAL RMM no longer in INIT
    cfg_align ERROR_INPUT  cfg_ptr zero or not 4KB aligned
    cfg_pas   ERROR_INPUT  cfg_ptr not Non-secure memory
    cfg_valid ERROR_INPUT  granule size or tracking region size not supported
RMI_PDEV_ABORT spec
    feat            ERROR_NOT_SUPPORTED device assignment not implemented
    pdev_align      ERROR_INPUT         pdev_ptr not granule aligned
    pdev_bound      ERROR_INPUT         pdev_ptr not in a tracked region
    pdev_gran_state ERROR_INPUT         granule pdev_ptr not in state PDEV
    comm_state      ERROR_DEVICE        comm state is IDLE
RMI_PDEV_COMMUNICATE spec
    feat            ERROR_NOT_SUPPORTED device assignment not implemented
    pdev_align      ERROR_INPUT         pdev_ptr not granule aligned
    pdev_bound      ERROR_INPUT         pdev_ptr not in a tracked region
    pdev_gran_state ERROR_INPUT         granule pdev_ptr not in state PDEV
    data_align      ERROR_INPUT         data_ptr not granule aligned
    data_pas        ERROR_INPUT         data_ptr not in Non-secure PAS
    req_align       ERROR_INPUT         request buffer not granule aligned
    req_pas         ERROR_INPUT         request buffer not in Non-secure PAS
    resp_align      ERROR_INPUT         response buffer not granule aligned
    resp_pas        ERROR_INPUT         response buffer not in Non-secure PAS
    rsp_len         ERROR_INPUT         rsp_len larger than one RMI granule
    comm_state      ERROR_DEVICE        comm state is IDLE or ERROR
    busy            BUSY                PDEV is busy with another transaction
RMI_PDEV_CREATE spec
    feat          ERROR_NOT_SUPPORTED device assignment not implemented
    pdev_align    ERROR_INPUT         pdev_ptr not granule aligned
    pdev_pop      ERROR_INPUT         pdev_ptr not populated conventional memory
    pdev_track    ERROR_TRACKING      region of pdev_ptr not tracked FINE; data gives level and address
    pdev_state    ERROR_INPUT         granule pdev_ptr not in state DELEGATED
    params_align  ERROR_INPUT         params_ptr not granule aligned
    params_pas    ERROR_INPUT         params_ptr not in Non-secure PAS
    params_valid  ERROR_INPUT         parameter structure not valid
    flags_supp    ERROR_INPUT         flag combination not supported
    max_num_vdevs ERROR_INPUT         rid_top - rid_base above 2^PDEV_MAX_VDEVS_ORDER - 1
RMI_PDEV_STOP spec
    feat             ERROR_NOT_SUPPORTED device assignment not implemented
    pdev_align       ERROR_INPUT         pdev_ptr not granule aligned
    pdev_bound       ERROR_INPUT         pdev_ptr not in a tracked region
    pdev_gran_state  ERROR_INPUT         granule pdev_ptr not in state PDEV
    pdev_state       ERROR_DEVICE        state not NEEDS_KEY, READY or ERROR
    comm_state       ERROR_DEVICE        comm state is not IDLE
    num_vdevs        ERROR_DEVICE        PDEV still has VDEVs
    pdev_stream_live ERROR_DEVICE        PDEV still takes part in a stream
RMI_RTT_AUX_CREATE tf-rmm
    rmm_state   ERROR_GLOBAL  RMM not ACTIVE (checked before the handler runs)
    rtt_state   ERROR_INPUT   rtt not DELEGATED
    rd_state    ERROR_INPUT   rd is not a Realm descriptor granule
    level_bound ERROR_INPUT   level not between start level + 1 and 3
    ipa_align   ERROR_INPUT   ipa not aligned to level - 1 or outside the IPA space
    index_bound ERROR_INPUT   no tree per plane, index 0, or index too large
    ipa_prot    ERROR_INPUT   ipa not Protected
    rtt_bound2  ERROR_INPUT   rtt above 48 bits without LPA2
    rtt_walk    ERROR_RTT_AUX walk ended before level - 1
    rtte_state  ERROR_RTT_AUX entry is already a table
RMI_RTT_AUX_DESTROY tf-rmm
    rmm_state   ERROR_GLOBAL  RMM not ACTIVE (checked before the handler runs)
    rd_state    ERROR_INPUT   rd is not a Realm descriptor granule
    level_bound ERROR_INPUT   level not between start level + 1 and 3
    ipa_align   ERROR_INPUT   ipa not aligned to level - 1 or outside the IPA space
    index_bound ERROR_INPUT   no tree per plane, index 0, or index too large
    rtt_walk    ERROR_RTT_AUX walk ended early or entry is no table
    rtt_live    ERROR_RTT_AUX table still in use (level of the table)
RMI_RTT_AUX_FOLD tf-rmm
    rmm_state   ERROR_GLOBAL  RMM not ACTIVE (checked before the handler runs)
    rd_state    ERROR_INPUT   rd is not a Realm descriptor granule
    level_bound ERROR_INPUT   level not between start level + 1 and 3
    ipa_align   ERROR_INPUT   ipa not aligned to level - 1 or outside the IPA space
    index_bound ERROR_INPUT   no tree per plane, index 0, or index too large
    rtt_walk    ERROR_RTT_AUX walk ended before level - 1
    rtte_state  ERROR_RTT_AUX entry is no table
    rtt_homo    ERROR_RTT_AUX table not homogeneous
    fold_level  ERROR_RTT     a table with mappings cannot be folded at this level
RMI_VDEV_ABORT spec
    feat            ERROR_NOT_SUPPORTED device assignment not implemented
    rd_align        ERROR_INPUT         rd not granule aligned
    rd_bound        ERROR_INPUT         rd not in a tracked region
    rd_state        ERROR_INPUT         granule rd not in state RD
    pdev_align      ERROR_INPUT         pdev_ptr not granule aligned
    pdev_bound      ERROR_INPUT         pdev_ptr not in a tracked region
    pdev_gran_state ERROR_INPUT         granule pdev_ptr not in state PDEV
    vdev_align      ERROR_INPUT         vdev_ptr not granule aligned
    vdev_bound      ERROR_INPUT         vdev_ptr not in a tracked region
    vdev_gran_state ERROR_INPUT         granule vdev_ptr not in state VDEV
    vdev_realm      ERROR_INPUT         VDEV belongs to another Realm
    vdev_pdev       ERROR_DEVICE        VDEV belongs to another PDEV
    comm_state      ERROR_DEVICE        comm state is IDLE
RMI_VDEV_CREATE spec
    feat                    ERROR_NOT_SUPPORTED device assignment not implemented
    rd_align                ERROR_INPUT         rd not granule aligned
    rd_bound                ERROR_INPUT         rd not in a tracked region
    rd_state                ERROR_INPUT         granule rd not in state RD
    pdev_align              ERROR_INPUT         pdev_ptr not granule aligned
    pdev_bound              ERROR_INPUT         pdev_ptr not in a tracked region
    pdev_gran_state         ERROR_INPUT         granule pdev_ptr not in state PDEV
    pdev_state              ERROR_DEVICE        PDEV not READY
    pdev_category           ERROR_DEVICE        PDEV is not an endpoint
    pdev_streams            ERROR_DEVICE        PDEV lacks the streams a VDEV needs
    pdev_num_vdevs          ERROR_DEVICE        PDEV has its maximum of VDEVs
    realm_num_vdevs         ERROR_DEVICE        Realm has its maximum of VDEVs
    vdev_align              ERROR_INPUT         vdev_ptr not granule aligned
    vdev_pop                ERROR_INPUT         vdev_ptr not populated conventional memory
    vdev_track              ERROR_TRACKING      region of vdev_ptr not tracked FINE; data gives level and address
    vdev_gran_state         ERROR_INPUT         granule vdev_ptr not in state DELEGATED
    params_align            ERROR_INPUT         params_ptr not granule aligned
    params_pas              ERROR_INPUT         params_ptr not in Non-secure PAS
    params_valid            ERROR_INPUT         parameter structure not valid
    addr_range_valid        ERROR_INPUT         address ranges not valid
    addr_range_pdev_streams ERROR_INPUT         address ranges not inside the streams of the PDEV
    addr_range_free         ERROR_INPUT         address ranges used by another VDEV
    da_en                   ERROR_REALM         realm was created without device assignment
    vdev_id_free            ERROR_INPUT         vdev_id already in use
    tdi_id_free             ERROR_INPUT         tdi_id already in use
    stream_exists           ERROR_INPUT         PDEV has no NCOH stream
    tdi_id_bound            ERROR_INPUT         tdi_id outside [rid_base, rid_top)
    psmmu_st_l2             ERROR_INPUT         no free level 2 stream table entry for the StreamID
    vsmmu_align             ERROR_INPUT         vsmmu_addr not granule aligned
    vsmmu_bound             ERROR_INPUT         vsmmu_addr not in a tracked region
    vsmmu_state             ERROR_INPUT         vsmmu_addr not a VSMMU
    vsid_free               ERROR_INPUT         vsid already in use
    vsmmu_compat            ERROR_INPUT         PDEV does not sit behind the SMMU of the VSMMU
RMI_VDEV_UNLOCK spec
    feat            ERROR_NOT_SUPPORTED device assignment not implemented
    rd_align        ERROR_INPUT         rd not granule aligned
    rd_bound        ERROR_INPUT         rd not in a tracked region
    rd_state        ERROR_INPUT         granule rd not in state RD
    pdev_align      ERROR_INPUT         pdev_ptr not granule aligned
    pdev_bound      ERROR_INPUT         pdev_ptr not in a tracked region
    pdev_gran_state ERROR_INPUT         granule pdev_ptr not in state PDEV
    vdev_align      ERROR_INPUT         vdev_ptr not granule aligned
    vdev_bound      ERROR_INPUT         vdev_ptr not in a tracked region
    vdev_gran_state ERROR_INPUT         granule vdev_ptr not in state VDEV
    vdev_realm      ERROR_INPUT         VDEV belongs to another Realm
    vdev_pdev       ERROR_DEVICE        VDEV belongs to another PDEV
    vdev_state      ERROR_DEVICE        state not LOCKED, STARTED or ERROR
    comm_state      ERROR_DEVICE        comm state is not IDLE
    gran_mapped     ERROR_GRANULE       memory of the VDEV is still mapped; x1 gives the address
RMI_RTT_SET_S2AP tf-rmm
    rmm_state      ERROR_GLOBAL RMM not ACTIVE (checked before the handler runs)
    size_valid     ERROR_INPUT  top not above base or not aligned
    rd_state       ERROR_INPUT  rd is not a Realm descriptor granule
    rec_gran_state ERROR_INPUT  rec_ptr is not a REC granule
    rec_running    ERROR_REC    REC is running
    rec_owner      ERROR_REC    REC belongs to another Realm
    base_bound     ERROR_INPUT  base is not where the pending request stands
    top_bound      ERROR_INPUT  top past the pending request
    base_align     ERROR_RTT    base not aligned to the level reached (ERROR_RTT_AUX for an auxiliary tree)
    no_progress    ERROR_RTT    nothing could be done from base (ERROR_RTT_AUX for an auxiliary tree)
RMI_VSMMU_EVENT_HANDLE spec
    feat            ERROR_NOT_SUPPORTED virtual SMMU not implemented
    rd_align        ERROR_INPUT         rd not granule aligned
    rd_bound        ERROR_INPUT         rd not in a tracked region
    rd_state        ERROR_INPUT         granule rd not in state RD
    realm_state     ERROR_REALM         realm not in NEW state (as the text has it)
    vsmmu_align     ERROR_INPUT         vsmmu_ptr not granule aligned
    vsmmu_bound     ERROR_INPUT         vsmmu_ptr not in a tracked region
    vsmmu_state     ERROR_INPUT         granule vsmmu_ptr not in state VSMMU
    pdev_align      ERROR_INPUT         pdev_ptr not granule aligned
    pdev_bound      ERROR_INPUT         pdev_ptr not in a tracked region
    pdev_gran_state ERROR_INPUT         granule pdev_ptr not in state PDEV
    vdev_align      ERROR_INPUT         vdev_ptr not granule aligned
    vdev_bound      ERROR_INPUT         vdev_ptr not in a tracked region
    vdev_gran_state ERROR_INPUT         granule vdev_ptr not in state VDEV
    vdev_realm      ERROR_INPUT         VDEV belongs to another Realm
    vdev_pdev       ERROR_DEVICE        VDEV belongs to another PDEV
RMI_PSMMU_ACTIVATE tf-rmm
    rmm_state    ERROR_GLOBAL        RMM not ACTIVE (checked before the handler runs)
    feat         ERROR_NOT_SUPPORTED no device assignment
    psmmu_valid  ERROR_INPUT         not a known SMMU
    params_pas   ERROR_INPUT         params_ptr not readable Non-secure memory
    params_valid ERROR_INPUT         MSI parameters not valid
    state        ERROR_INPUT         SMMU not INACTIVE
RMI_PSMMU_DEACTIVATE tf-rmm
    rmm_state   ERROR_GLOBAL        RMM not ACTIVE (checked before the handler runs)
    feat        ERROR_NOT_SUPPORTED no device assignment
    psmmu_valid ERROR_INPUT         not a known SMMU
    state       ERROR_INPUT         SMMU not ACTIVE or still in use
RMI_PSMMU_ST_L2_CREATE tf-rmm
    rmm_state   ERROR_GLOBAL        RMM not ACTIVE (checked before the handler runs)
    feat        ERROR_NOT_SUPPORTED no device assignment
    psmmu_valid ERROR_INPUT         not a known SMMU
    sid_valid   ERROR_INPUT         StreamID not valid
    st          ERROR_INPUT         table exists or cannot be made
RMI_PSMMU_ST_L2_DESTROY tf-rmm
    rmm_state   ERROR_GLOBAL        RMM not ACTIVE (checked before the handler runs)
    feat        ERROR_NOT_SUPPORTED no device assignment
    psmmu_valid ERROR_INPUT         not a known SMMU
    sid_valid   ERROR_INPUT         StreamID not valid
    st          ERROR_INPUT         no table, or still in use
RMI_GRANULE_TRACKING_GET tf-rmm
    range ERROR_INPUT range not aligned, empty or above the PA range
RMI_RMM_CONFIG_GET tf-rmm
    cfg_align ERROR_INPUT cfg_ptr zero or not 4KB aligned
    cfg_pas   ERROR_INPUT cfg_ptr not Non-secure memory
RMI_GRANULE_RANGE_DELEGATE spec
    rmm_state  ERROR_GLOBAL   RMM not ACTIVE
    base_align ERROR_INPUT    base not granule aligned
    top_align  ERROR_INPUT    top not granule aligned
    top_bound  ERROR_INPUT    top not above base
    populated  ERROR_INPUT    memory in the range is not populated
    tracking   ERROR_TRACKING tracking state does not allow it; data gives level and address
    state      ERROR_INPUT    a granule is neither UNDELEGATED nor DELEGATED
RMI_GRANULE_RANGE_UNDELEGATE tf-rmm
    rmm_state  ERROR_GLOBAL RMM not ACTIVE (checked before the handler runs)
    align      ERROR_INPUT  base or top not granule aligned
    size_valid ERROR_INPUT  top not above base
    state      ERROR_INPUT  first granule is not DELEGATED or not known
RMI_GPT_L1_CREATE tf-rmm
    rmm_state  ERROR_GLOBAL RMM not ACTIVE (checked before the handler runs)
    addr_align ERROR_INPUT  addr not aligned to the L0 GPT size
    gpt        ERROR_GPT    table exists already (always, where tables are static)
RMI_RTT_DATA_MAP tf-rmm
    rmm_state   ERROR_GLOBAL RMM not ACTIVE (checked before the handler runs)
    rd_state    ERROR_INPUT  rd is not a Realm descriptor granule
    realm_state ERROR_REALM  Realm neither NEW nor ACTIVE
    size_valid  ERROR_INPUT  top not above base
    oaddr       ERROR_INPUT  descriptor, list or its state not valid
    range       ERROR_INPUT  base not aligned to the block, or range in the wrong half of the IPA space
    too_small   ERROR_RTT    range smaller than the block
    rtt_walk    ERROR_RTT    walk ended at another level
    rtte_state  ERROR_RTT    entry already in use
    data_state  ERROR_INPUT  a data granule is not DELEGATED
    pending     BUSY         entry has unfinished work of another operation
    sro_busy    BUSY         no free operation context, some are being set up
    sro_blocked BLOCKED      all operation contexts hold unfinished operations
RMI_RTT_DATA_UNMAP tf-rmm
    rmm_state   ERROR_GLOBAL  RMM not ACTIVE (checked before the handler runs)
    rd_state    ERROR_INPUT   rd is not a Realm descriptor granule
    size_valid  ERROR_INPUT   base or top not aligned, or top not above base
    range       ERROR_INPUT   range in the wrong half of the IPA space
    oaddr       ERROR_INPUT   list wanted but address or count not valid, or address given without a list
    rtte_state  ERROR_RTT     nothing to unmap at base
    base_align  ERROR_RTT     base not aligned to the level reached
    dev         ERROR_RTT     entry maps device memory
    aux_live    ERROR_RTT_AUX still mapped in an auxiliary tree
    sro_busy    BUSY          no free operation context, some are being set up
    sro_blocked BLOCKED       all operation contexts hold unfinished operations
RMI_RTT_DEV_MAP tf-rmm
    rmm_state       ERROR_GLOBAL RMM not ACTIVE (checked before the handler runs)
    rd_state        ERROR_INPUT  rd is not a Realm descriptor granule
    vdev_gran_state ERROR_INPUT  vdev_ptr is not a VDEV granule
    vdev_realm      ERROR_INPUT  VDEV belongs to another Realm
    realm_state     ERROR_REALM  Realm neither NEW nor ACTIVE
    size_valid      ERROR_INPUT  top not above base
    oaddr           ERROR_INPUT  descriptor, list or its state not valid
    range           ERROR_INPUT  base not aligned to the block, or range in the wrong half of the IPA space
    too_small       ERROR_RTT    range smaller than the block
    rtt_walk        ERROR_RTT    walk ended at another level
    rtte_state      ERROR_RTT    entry already in use
    vdev_range      ERROR_INPUT  PA outside the ranges of the VDEV
    dev_state       ERROR_INPUT  a device granule is not DELEGATED or of the wrong kind
    pending         BUSY         entry has unfinished work of another operation
    sro_busy        BUSY         no free operation context, some are being set up
    sro_blocked     BLOCKED      all operation contexts hold unfinished operations
RMI_RTT_DEV_UNMAP tf-rmm
    rmm_state   ERROR_GLOBAL RMM not ACTIVE (checked before the handler runs)
    rd_state    ERROR_INPUT  rd is not a Realm descriptor granule
    size_valid  ERROR_INPUT  base or top not aligned, or top not above base
    range       ERROR_INPUT  range in the wrong half of the IPA space
    oaddr       ERROR_INPUT  list wanted but address or count not valid, or address given without a list
    rtte_state  ERROR_RTT    nothing to unmap at base
    base_align  ERROR_RTT    base not aligned to the level reached
    sro_busy    BUSY         no free operation context, some are being set up
    sro_blocked BLOCKED      all operation contexts hold unfinished operations
RMI_RTT_UNPROT_MAP tf-rmm
    rmm_state   ERROR_GLOBAL RMM not ACTIVE (checked before the handler runs)
    rd_state    ERROR_INPUT  rd is not a Realm descriptor granule
    realm_state ERROR_REALM  Realm neither NEW nor ACTIVE
    size_valid  ERROR_INPUT  top not above base
    oaddr       ERROR_INPUT  descriptor, list or its state not valid
    range       ERROR_INPUT  base not aligned to the block, or range in the wrong half of the IPA space
    too_small   ERROR_RTT    range smaller than the block
    rtt_walk    ERROR_RTT    walk ended at another level
    rtte_state  ERROR_RTT    entry already in use
    attr_valid  ERROR_INPUT  attributes or access permissions not allowed
RMI_RTT_UNPROT_UNMAP tf-rmm
    rmm_state   ERROR_GLOBAL RMM not ACTIVE (checked before the handler runs)
    rd_state    ERROR_INPUT  rd is not a Realm descriptor granule
    size_valid  ERROR_INPUT  base or top not aligned, or top not above base
    range       ERROR_INPUT  range in the wrong half of the IPA space
    oaddr       ERROR_INPUT  list wanted but address or count not valid, or address given without a list
    rtte_state  ERROR_RTT    nothing to unmap at base
    base_align  ERROR_RTT    base not aligned to the level reached
    sro_busy    BUSY         no free operation context, some are being set up
    sro_blocked BLOCKED      all operation contexts hold unfinished operations
RMI_RTT_AUX_PROT_MAP spec
    rd_align       ERROR_INPUT   rd not granule aligned
    rd_bound       ERROR_INPUT   rd not in a tracked region
    rd_state       ERROR_INPUT   granule rd not in state RD
    base_pri_align ERROR_INPUT   base not aligned to the primary entry
    base_aux_align ERROR_INPUT   base not aligned to the auxiliary entry and blocks may not be made
    invalid_pri    ERROR_INPUT   primary entry is void and the flag says stop
    top_align      ERROR_INPUT   top not granule aligned
    size_valid     ERROR_INPUT   top not above base
    ipa_bound      ERROR_INPUT   range not Protected
    index_bound    ERROR_INPUT   tree index not usable
    pri_state      ERROR_RTT     primary entry maps nothing
    pri_ram        ERROR_RTT     primary data entry without RIPAS RAM
    pri_dev        ERROR_RTT     primary device entry without RIPAS DEV
    aux_destroyed  ERROR_RTT_AUX auxiliary entry is AUX_DESTROYED
    aux_size       ERROR_RTT_AUX auxiliary entry larger than the range
RMI_REALM_TERMINATE tf-rmm
    rmm_state ERROR_GLOBAL RMM not ACTIVE (checked before the handler runs)
    rd_state  ERROR_INPUT  rd is not a Realm descriptor granule
    active    ERROR_REALM  a REC of the Realm is running
RMI_RMM_ACTIVATE tf-rmm
    rmm_state ERROR_GLOBAL RMM not in INIT
RMI_OP_CONTINUE tf-rmm
    rmm_state ERROR_GLOBAL RMM not ACTIVE (checked before the handler runs)
    handle    ERROR_INPUT  no unfinished operation with this handle
    order     ERROR_INPUT  the operation waits for a donation or a reclaim
RMI_PDEV_STREAM_CONNECT spec
    feat                ERROR_NOT_SUPPORTED device assignment not implemented
    params_align        ERROR_INPUT         params_ptr not granule aligned
    params_pas          ERROR_INPUT         params_ptr not in Non-secure PAS
    params_valid        ERROR_INPUT         parameter structure not valid
    feat_non_tee_stream ERROR_NOT_SUPPORTED NON_TEE stream without the feature
    pdev_1_align        ERROR_INPUT         first PDEV not granule aligned
    pdev_1_bound        ERROR_INPUT         first PDEV not in a tracked region
    pdev_1_gran_state   ERROR_INPUT         first PDEV granule not in state PDEV
    pdev_1_category     ERROR_INPUT         first PDEV is not an endpoint
    pdev_1_state        ERROR_INPUT         first PDEV not READY
    pdev_1_op           ERROR_INPUT         first PDEV has an operation
    pdev_1_comm_state   ERROR_INPUT         first PDEV comm state is not IDLE
    pdev_2_align        ERROR_INPUT         second PDEV needed and not granule aligned
    pdev_2_bound        ERROR_INPUT         second PDEV needed and not in a tracked region
    pdev_2_gran_state   ERROR_INPUT         second PDEV needed and granule not in state PDEV
    pdev_2_category     ERROR_INPUT         second PDEV has the wrong category for the stream type
    pdev_2_state        ERROR_INPUT         second PDEV needed and not READY
    pdev_2_op           ERROR_INPUT         second PDEV needed and has an operation
    pdev_2_comm_state   ERROR_INPUT         second PDEV needed and comm state not IDLE
    stream_type_exists  ERROR_INPUT         first PDEV already has a stream of this type
    stream_alloc_failed ERROR_INPUT         no stream object left
    disconnected        ERROR_INPUT         stream is not DISCONNECTED
RMI_PDEV_STREAM_DISCONNECT spec
    feat              ERROR_NOT_SUPPORTED device assignment not implemented
    pdev_1_align      ERROR_INPUT         first PDEV not granule aligned
    pdev_1_bound      ERROR_INPUT         first PDEV not in a tracked region
    pdev_1_gran_state ERROR_INPUT         first PDEV granule not in state PDEV
    pdev_1_state      ERROR_INPUT         first PDEV neither READY nor ERROR
    pdev_1_comm_state ERROR_INPUT         first PDEV comm state is not IDLE
    stream_valid      ERROR_INPUT         unknown stream handle
    pdev_2_align      ERROR_INPUT         second PDEV needed and not granule aligned
    pdev_2_bound      ERROR_INPUT         second PDEV needed and not in a tracked region
    pdev_2_gran_state ERROR_INPUT         second PDEV needed and granule not in state PDEV
    pdev_2_state      ERROR_INPUT         second PDEV needed and neither READY nor ERROR
    pdev_2_comm_state ERROR_INPUT         second PDEV needed and comm state not IDLE
    stream_state      ERROR_DEVICE        stream is not CONNECTED
RMI_PDEV_STREAM_COMPLETE spec
    feat              ERROR_NOT_SUPPORTED device assignment not implemented
    stream_valid      ERROR_INPUT         unknown stream handle
    stream_state      ERROR_DEVICE        stream has no operation to finish
    pdev_1_align      ERROR_INPUT         first PDEV not granule aligned
    pdev_1_bound      ERROR_INPUT         first PDEV not in a tracked region
    pdev_1_gran_state ERROR_INPUT         first PDEV granule not in state PDEV
    pdev_1_state      ERROR_INPUT         first PDEV neither READY nor ERROR
    pdev_1_comm_state ERROR_INPUT         first PDEV READY and comm state not IDLE
    pdev_2_align      ERROR_INPUT         second PDEV needed and not granule aligned
    pdev_2_bound      ERROR_INPUT         second PDEV needed and not in a tracked region
    pdev_2_gran_state ERROR_INPUT         second PDEV needed and granule not in state PDEV
    pdev_2_state      ERROR_INPUT         second PDEV needed and neither READY nor ERROR
    pdev_2_comm_state ERROR_INPUT         second PDEV needed, not in ERROR and comm state not IDLE
    complete          ERROR_DEVICE        a PDEV is neither at STREAM_COMPLETE nor at STREAM_ABORTED
RMI_OP_MEM_DONATE spec
    complete   ERROR_INPUT no incomplete operation with this handle
    list_align ERROR_INPUT list_addr not 8 byte aligned
    list_pas   ERROR_INPUT list_addr not in Non-secure PAS
    mem_gt     ERROR_INPUT more memory than wanted
    mem_contig ERROR_INPUT memory not contiguous as wanted
    mem_align  ERROR_INPUT memory not aligned as wanted
    mem_state  ERROR_INPUT a granule is in the wrong state
RMI_OP_MEM_RECLAIM tf-rmm
    rmm_state  ERROR_GLOBAL RMM not ACTIVE (checked before the handler runs)
    handle     ERROR_INPUT  no unfinished operation with this handle
    list_align ERROR_INPUT  list_addr not 8 byte aligned
    order      ERROR_INPUT  the operation does not wait for a reclaim
    list_pas   ERROR_INPUT  list not writable Non-secure memory
RMI_OP_CANCEL tf-rmm
    rmm_state  ERROR_GLOBAL RMM not ACTIVE (checked before the handler runs)
    handle     ERROR_INPUT  no unfinished operation with this handle
    can_cancel ERROR_INPUT  operation cannot be cancelled
RMI_VSMMU_CMD_GET spec
    feat        ERROR_NOT_SUPPORTED virtual SMMU not implemented
    vsmmu_align ERROR_INPUT         vsmmu_ptr not granule aligned
    vsmmu_bound ERROR_INPUT         vsmmu_ptr not in a tracked region
    vsmmu_state ERROR_INPUT         granule vsmmu_ptr not in state VSMMU
    rd_align    ERROR_INPUT         rd not granule aligned
    rd_bound    ERROR_INPUT         rd not in a tracked region
    rd_state    ERROR_INPUT         granule rd not in state RD
    vsmmu_owner ERROR_INPUT         VSMMU belongs to another Realm
    realm_state ERROR_REALM         realm not in NEW state (as the text has it)
RMI_PSMMU_INFO spec
    feat        ERROR_NOT_SUPPORTED device assignment not implemented
    psmmu_valid ERROR_INPUT         not a known SMMU
    info_align  ERROR_INPUT         info_ptr not 0x100 aligned
    info_pas    ERROR_INPUT         info_ptr not in Non-secure PAS
RMI_RMM_DEACTIVATE bet1
    state    ERROR_GLOBAL RMM not ACTIVE
    granules ERROR_GLOBAL some granule is not UNDELEGATED
RMI_PDEV_STREAM_INFO spec
    feat              ERROR_NOT_SUPPORTED device assignment not implemented
    pdev_1_align      ERROR_INPUT         first PDEV not granule aligned
    pdev_1_bound      ERROR_INPUT         first PDEV not in a tracked region
    pdev_1_gran_state ERROR_INPUT         first PDEV granule not in state PDEV
    stream_valid      ERROR_INPUT         unknown stream handle
    pdev_2_align      ERROR_INPUT         second PDEV needed and not granule aligned
    pdev_2_bound      ERROR_INPUT         second PDEV needed and not in a tracked region
    pdev_2_gran_state ERROR_INPUT         second PDEV needed and granule not in state PDEV
"""
