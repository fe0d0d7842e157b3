/* SPDX-License-Identifier: Apache-2.0 */
/* Input of the updater, and the status that it reports. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "api/edgeupdate.h"
#include "api/link/link.h"
#include "api/update/phase.h"
#include "api/update/reason.h"

/* Strings are valid as long as the maker says. */
struct hf_update_status {
    const char *name;
    enum hf_phase phase;
    const char *version; /* these three: the journal's release */
    uint64_t sequence;
    const char *digest;
    const char *installed;  /* at install.path, or "" */
    const char *from;       /* before this update, or "" */
    const char *method;     /* "Delta", "Full", or "" until chosen */
    uint64_t bytes_fetched; /* over the network, in all attempts; not from file: URLs */
    unsigned attempts;
    const char *reason;    /* api/update/reason.h */
    const char *message;   /* event, place, cause and remedy; at most 256 bytes */
    uint64_t time_unix_ns; /* last change of phase */
    bool settled;          /* nothing happens until something outside changes */
};

/* A release that the caller wants, and if an update may start. */
struct hf_desired {
    struct hf_edgeupdate *update; /* borrowed; its JSON is referenced */
    enum hf_desired_gate {
        HF_GATE_OPEN,
        HF_GATE_NOT_ADMITTED,
        HF_GATE_STALE,  /* no contact for longer than staleOk.window, with Hold */
        HF_GATE_HELD,   /* by the site */
        HF_GATE_IMAGES, /* spec.waitForImages: not all images that the policy lists are here */
    } gate;
    /* Not OPEN (or a closed window, or spec.suspend): no update starts, and one before the swap pauses and keeps its
     * download; from the swap on, it ends. Only HELD, or `held`, stops repairs. */
    bool held; /* by the site; for repairs only, with any `gate` */
    /* The swap needs a turn: stays Verified with TurnPending. No effect from the swap on, or on repairs. */
    bool turn_missing;
    /* No download starts or continues (WriteBudgetUsed). Updates from Patching on, and repairs, continue. */
    bool writes_used_up;
    /* Unless HF_LINK_OPEN, no download over the network starts or continues (LinkWindowClosed, LinkQuotaUsed,
     * ClockUnsure). Updates from Patching on or from a file: URL, and repairs, continue. */
    enum hf_link link;
};
