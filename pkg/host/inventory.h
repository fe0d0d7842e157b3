/* SPDX-License-Identifier: Apache-2.0 */
/* What pods installed on this host. Writes only the lock file. Blocks. Threads: one at a time. */
#pragma once

#include "host/place.h"
#include "supervisor/state.h"

enum hf_hostlife_owner {
    HF_HOSTLIFE_NOBODY,
    HF_HOSTLIFE_A_POD,
    HF_HOSTLIFE_ANOTHER, /* holdfast-agent.service of a package or a person */
};

struct hf_hostlife_inventory {
    enum hf_hostlife_owner owner;
    /* Installed, Persists, or that of the pod's last start */
    enum hf_hostlife_reason reason;
    bool watched;
    /* Names of slots, or "" */
    char current[HF_HOST_SLOT], good[HF_HOST_SLOT], previous[HF_HOST_SLOT];
    char supervisor[HF_HOST_SLOT];
    struct hf_supervisor_note verdict, trial;
};

/* -EACCES: perhaps not root. */
HF_MUST_USE int hf_hostlife_inventory(const struct hf_hostlife_place *place,
                                      struct hf_hostlife_inventory *ret_inventory, struct hf_err *err);

/* Takes the lock of the watching pod; it ends with the process. Returns a descriptor, or -errno. */
HF_MUST_USE int hf_hostlife_watch_lock(const struct hf_hostlife_place *place, struct hf_err *err);
