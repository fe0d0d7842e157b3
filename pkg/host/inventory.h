/* SPDX-License-Identifier: Apache-2.0 */
/* What pods have installed on this host, as a person on the node sees it. Changes nothing. Blocks. Threads: one at a
 * time. */
#pragma once

#include "host/place.h"
#include "supervisor/state.h"

enum hf_hostlife_owner {
    HF_HOSTLIFE_NOBODY,
    HF_HOSTLIFE_A_POD,
    HF_HOSTLIFE_ANOTHER, /* a package or a person installed a holdfast-agent.service */
};

struct hf_hostlife_inventory {
    enum hf_hostlife_owner owner;
    enum hf_hostlife_reason
        reason;   /* Installed or Persists; else why the pod's last start left it in the pod, if known */
    bool watched; /* a pod of the DaemonSet watches at this moment */
    /* Slots; "": none. Only a build that has been healthy becomes `good`. */
    char current[HF_HOST_SLOT], good[HF_HOST_SLOT], previous[HF_HOST_SLOT];
    char supervisor[HF_HOST_SLOT];
    struct hf_supervisor_note verdict, trial; /* .word "": none */
};

/* -EACCES: only root sees it. */
HF_MUST_USE int hf_hostlife_inventory(const struct hf_hostlife_place *place,
                                      struct hf_hostlife_inventory *ret_inventory, struct hf_err *err);

/* For the pod that watches: a lock that ends with its process. Returns the descriptor, or -errno. */
HF_MUST_USE int hf_hostlife_watch_lock(const struct hf_hostlife_place *place, struct hf_err *err);
