/* SPDX-License-Identifier: Apache-2.0 */
/* Input of the updater, and the status that it reports. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "api/edgeupdate.h"
#include "api/link/link.h"
#include "api/update/phase.h"
#include "api/update/reason.h"

/* Valid as long as the maker says. */
struct hf_update_status {
    const char *name;
    enum hf_phase phase;
    const char *version; /* of the journal's release, as the next two */
    uint64_t sequence;
    const char *digest;
    const char *installed;  /* at install.path; or "" */
    const char *from;       /* before this update; or "" */
    const char *method;     /* "Delta", "Full" ...; "": not chosen */
    uint64_t bytes_fetched; /* by network, all attempts */
    unsigned attempts;
    const char *reason;    /* api/update/reason.h */
    const char *message;   /* event, place, cause, remedy; up to 256 bytes */
    uint64_t time_unix_ns; /* last change of phase */
    bool settled;          /* until something outside changes */
};

/* A release that the caller wants. */
struct hf_desired {
    struct hf_edgeupdate *update; /* borrowed; its JSON is referenced */
    enum hf_desired_gate {
        HF_GATE_OPEN,
        HF_GATE_NOT_ADMITTED,
        HF_GATE_STALE,  /* longer than staleOk.window, with Hold */
        HF_GATE_HELD,   /* by the site */
        HF_GATE_IMAGES, /* spec.waitForImages: not all of the policy's are here */
    } gate;
    /* Unless OPEN (or with a closed window, or spec.suspend), no update starts; one before its swap pauses and keeps
     * its download; a later one ends. Only HELD, or `held`, stops repairs. */
    bool held; /* by the site; stops repairs, with any `gate` */
    /* The swap needs a turn: waits in Verified (TurnPending). Not from the swap on, nor for repairs. */
    bool turn_missing;
    /* No download starts or continues (WriteBudgetUsed); Patching and later, and repairs, do. */
    bool writes_used_up;
    /* Unless HF_LINK_OPEN, no download by network starts or continues (LinkWindowClosed, LinkQuotaUsed, ClockUnsure).
     * Patching and later, file: URLs and repairs do. */
    enum hf_link link;
};
