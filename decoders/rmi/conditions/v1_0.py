"""Failure conditions of DEN0137 1.0-rel0."""

SOURCES = {
    "spec": "spec 1.0-rel0",
}

TABLE = """
RMI_VERSION spec
    incompat ERROR_INPUT version asked for is not supported (TF-RMM version.c); lower and higher are still returned
RMI_GRANULE_DELEGATE spec
    gran_align ERROR_INPUT addr not granule aligned
    gran_bound ERROR_INPUT addr outside delegable memory
    gran_state ERROR_INPUT granule addr not in state UNDELEGATED
    gran_gpt   ERROR_INPUT granule is not in the NS PAS of the GPT
RMI_GRANULE_UNDELEGATE spec
    gran_align ERROR_INPUT addr not granule aligned
    gran_bound ERROR_INPUT addr outside delegable memory
    gran_state ERROR_INPUT granule addr not in state DELEGATED
RMI_DATA_CREATE spec
    src_align   ERROR_INPUT src not granule aligned
    src_bound   ERROR_INPUT src outside delegable memory
    src_pas     ERROR_INPUT src not in Non-secure PAS
    data_align  ERROR_INPUT data not granule aligned
    data_bound  ERROR_INPUT data outside delegable memory
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
RMI_DATA_CREATE_UNKNOWN spec
    data_align  ERROR_INPUT data not granule aligned
    data_bound  ERROR_INPUT data outside delegable memory
    data_state  ERROR_INPUT granule data not in state DELEGATED
    data_bound2 ERROR_INPUT PA above 48 bits without LPA2
    rd_align    ERROR_INPUT rd not granule aligned
    rd_bound    ERROR_INPUT rd outside delegable memory
    rd_state    ERROR_INPUT granule rd not in state RD
    ipa_align   ERROR_INPUT ipa not granule aligned
    ipa_bound   ERROR_INPUT ipa not a Protected IPA
    rtt_walk    ERROR_RTT   RTT walk ended above the wanted level
    rtte_state  ERROR_RTT   entry reached by the walk has an unexpected state
RMI_DATA_DESTROY spec
    rd_align   ERROR_INPUT rd not granule aligned
    rd_bound   ERROR_INPUT rd outside delegable memory
    rd_state   ERROR_INPUT granule rd not in state RD
    ipa_align  ERROR_INPUT ipa not granule aligned
    ipa_bound  ERROR_INPUT ipa not a Protected IPA
    rtt_walk   ERROR_RTT   RTT walk ended above the wanted level
    rtte_state ERROR_RTT   entry reached by the walk has an unexpected state
RMI_REALM_ACTIVATE spec
    rd_align    ERROR_INPUT rd not granule aligned
    rd_bound    ERROR_INPUT rd outside delegable memory
    rd_state    ERROR_INPUT granule rd not in state RD
    realm_state ERROR_REALM realm not in NEW state
RMI_REALM_CREATE spec
    params_align  ERROR_INPUT params_ptr not granule aligned
    params_bound  ERROR_INPUT params_ptr outside delegable memory
    params_pas    ERROR_INPUT params_ptr not in Non-secure PAS
    params_valid  ERROR_INPUT parameter structure not valid
    params_supp   ERROR_INPUT a requested feature is not supported
    alias         ERROR_INPUT two arguments name the same or overlapping memory
    rd_align      ERROR_INPUT rd not granule aligned
    rd_bound      ERROR_INPUT rd outside delegable memory
    rd_state      ERROR_INPUT granule rd not in state DELEGATED
    rtt_align     ERROR_INPUT rtt_base not aligned to the size of the starting RTTs
    rtt_num_level ERROR_INPUT s2sz, rtt_level_start and rtt_num_start do not fit together
    rtt_state     ERROR_INPUT a starting RTT granule is not DELEGATED
    vmid_valid    ERROR_INPUT VMID not valid or already used
RMI_REALM_DESTROY spec
    rd_align   ERROR_INPUT rd not granule aligned
    rd_bound   ERROR_INPUT rd outside delegable memory
    rd_state   ERROR_INPUT granule rd not in state RD
    realm_live ERROR_REALM realm still owns RECs, RTTs or data
RMI_REC_CREATE spec
    params_align ERROR_INPUT params_ptr not granule aligned
    params_bound ERROR_INPUT params_ptr outside delegable memory
    params_pas   ERROR_INPUT params_ptr not in Non-secure PAS
    rec_align    ERROR_INPUT rec not granule aligned
    rec_bound    ERROR_INPUT rec outside delegable memory
    rec_state    ERROR_INPUT granule rec not in state DELEGATED
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
RMI_REC_DESTROY spec
    rec_align      ERROR_INPUT rec_ptr not granule aligned
    rec_bound      ERROR_INPUT rec_ptr outside delegable memory
    rec_gran_state ERROR_INPUT granule rec_ptr not in state REC
    rec_state      ERROR_REC   state in {RUNNING}
RMI_REC_ENTER spec
    run_align      ERROR_INPUT run_ptr not granule aligned
    run_bound      ERROR_INPUT run_ptr outside delegable memory
    run_pas        ERROR_INPUT run_ptr not in Non-secure PAS
    rec_align      ERROR_INPUT rec not granule aligned
    rec_bound      ERROR_INPUT rec outside delegable memory
    rec_gran_state ERROR_INPUT granule rec not in state REC
    realm_new      ERROR_REALM realm not activated yet (index 0)
    system_off     ERROR_REALM realm is SYSTEM_OFF (index 1)
    rec_state      ERROR_REC   state in {RUNNING}
    rec_runnable   ERROR_REC   REC not runnable
    rec_mmio       ERROR_REC   emul_mmio set without an emulatable abort
    rec_gicv3      ERROR_REC   GICv3 entry state not valid
    rec_psci       ERROR_REC   REC has a pending PSCI request
RMI_RTT_CREATE spec
    rd_align    ERROR_INPUT rd not granule aligned
    rd_bound    ERROR_INPUT rd outside delegable memory
    rd_state    ERROR_INPUT granule rd not in state RD
    level_bound ERROR_INPUT level not allowed for this command
    ipa_align   ERROR_INPUT ipa not aligned to the level
    ipa_bound   ERROR_INPUT ipa outside the IPA space of the Realm
    rtt_align   ERROR_INPUT rtt not granule aligned
    rtt_bound   ERROR_INPUT rtt outside delegable memory
    rtt_state   ERROR_INPUT granule rtt not in state DELEGATED
    rtt_bound2  ERROR_INPUT PA above 48 bits without LPA2
    rtt_walk    ERROR_RTT   RTT walk ended above the wanted level
    rtte_state  ERROR_RTT   entry reached by the walk has an unexpected state
RMI_RTT_DESTROY spec
    rd_align    ERROR_INPUT rd not granule aligned
    rd_bound    ERROR_INPUT rd outside delegable memory
    rd_state    ERROR_INPUT granule rd not in state RD
    level_bound ERROR_INPUT level not allowed for this command
    ipa_align   ERROR_INPUT ipa not aligned to the level
    ipa_bound   ERROR_INPUT ipa outside the IPA space of the Realm
    rtt_walk    ERROR_RTT   RTT walk ended above the wanted level
    rtte_state  ERROR_RTT   entry reached by the walk has an unexpected state
    rtt_live    ERROR_RTT   RTT still live
RMI_RTT_MAP_UNPROTECTED spec
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
RMI_RTT_READ_ENTRY spec
    rd_align    ERROR_INPUT rd not granule aligned
    rd_bound    ERROR_INPUT rd outside delegable memory
    rd_state    ERROR_INPUT granule rd not in state RD
    level_bound ERROR_INPUT level not allowed for this command
    ipa_align   ERROR_INPUT ipa not aligned to the level
    ipa_bound   ERROR_INPUT ipa outside the IPA space of the Realm
RMI_RTT_UNMAP_UNPROTECTED spec
    rd_align    ERROR_INPUT rd not granule aligned
    rd_bound    ERROR_INPUT rd outside delegable memory
    rd_state    ERROR_INPUT granule rd not in state RD
    level_bound ERROR_INPUT level not allowed for this command
    ipa_align   ERROR_INPUT ipa not aligned to the level
    ipa_bound   ERROR_INPUT ipa not an Unprotected IPA of this Realm
    rtt_walk    ERROR_RTT   RTT walk ended above the wanted level
    rtte_state  ERROR_RTT   entry reached by the walk has an unexpected state
RMI_PSCI_COMPLETE spec
    alias         ERROR_INPUT two arguments name the same or overlapping memory
    calling_align ERROR_INPUT calling_rec not granule aligned
    calling_bound ERROR_INPUT calling_rec outside delegable memory
    calling_state ERROR_INPUT granule calling_rec not in state REC
    target_align  ERROR_INPUT target_rec not granule aligned
    target_bound  ERROR_INPUT target_rec outside delegable memory
    target_state  ERROR_INPUT granule target_rec not in state REC
    pending       ERROR_INPUT no matching request pending on the REC
    owner         ERROR_INPUT objects belong to different Realms
    target        ERROR_INPUT MPIDR of the target differs from the PSCI argument
    status        ERROR_INPUT PSCI status not allowed here
RMI_RTT_FOLD spec
    rd_align    ERROR_INPUT rd not granule aligned
    rd_bound    ERROR_INPUT rd outside delegable memory
    rd_state    ERROR_INPUT granule rd not in state RD
    level_bound ERROR_INPUT level not allowed for this command
    ipa_align   ERROR_INPUT ipa not aligned to the level
    ipa_bound   ERROR_INPUT ipa outside the IPA space of the Realm
    rtt_walk    ERROR_RTT   RTT walk ended above the wanted level
    rtte_state  ERROR_RTT   entry reached by the walk has an unexpected state
    rtt_homo    ERROR_RTT   RTT not homogeneous
RMI_REC_AUX_COUNT spec
    rd_align ERROR_INPUT rd not granule aligned
    rd_bound ERROR_INPUT rd outside delegable memory
    rd_state ERROR_INPUT granule rd not in state RD
RMI_RTT_INIT_RIPAS spec
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
RMI_RTT_SET_RIPAS spec
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
"""
