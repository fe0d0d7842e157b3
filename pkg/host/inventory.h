/* SPDX-License-Identifier: Apache-2.0 */
/* What pods installed on this host. Changes nothing. Blocks. Threads: one at a time. */
#pragma once

#include "host/place.h"
#include "supervisor/state.h"

enum hf_hostlife_owner {
    HF_HOSTLIFE_NOBODY,
    HF_HOSTLIFE_A_POD,
    HF_HOSTLIFE_ANOTHER, /* a package's or person's holdfast-agent.service */
};

struct hf_hostlife_inventory {
    enum hf_hostlife_owner owner;
    enum hf_hostlife_reason reason; /* Installed or Persists; else why the pod's last start did not, if known */
    bool watched;                   /* by a pod, now */
    /* Slots, or "". Only a healthy build becomes `good`. */
    char current[HF_HOST_SLOT], good[HF_HOST_SLOT], previous[HF_HOST_SLOT];
    char supervisor[HF_HOST_SLOT];
    struct hf_supervisor_note verdict, trial; /* .word "": none */
};

/* -EACCES: not root. */
HF_MUST_USE int hf_hostlife_inventory(const struct hf_hostlife_place *place,
                                      struct hf_hostlife_inventory *ret_inventory, struct hf_err *err);

/* The watching pod's lock, which ends with its process. Descriptor, or -errno. */
HF_MUST_USE int hf_hostlife_watch_lock(const struct hf_hostlife_place *place, struct hf_err *err);
