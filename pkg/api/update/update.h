/* SPDX-License-Identifier: Apache-2.0 */
/* The updater's input, and the status that it reports. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "api/edgeupdate.h"
#include "api/link/link.h"
#include "api/update/phase.h"
#include "api/update/reason.h"

struct hf_update_status {
    const char *name;
    enum hf_phase phase;
    const char *version; /* version, sequence and digest are of one release */
    uint64_t sequence;
    const char *digest;
    const char *installed;  /* version at install.path; or "" */
    const char *from;       /* version before this update; or "" */
    const char *method;     /* "Delta", "Full", ...; "" until chosen */
    uint64_t bytes_fetched; /* by network, in all attempts */
    unsigned attempts;
    const char *reason;
    const char *message;   /* at most 256 bytes */
    uint64_t time_unix_ns; /* of the last change of phase */
    bool settled;          /* nothing happens until something outside changes */
};

struct hf_desired {
    struct hf_edgeupdate *update; /* borrowed; its JSON is referenced */
    enum hf_desired_gate {
        HF_GATE_OPEN,
        HF_GATE_NOT_ADMITTED,
        HF_GATE_STALE, /* no contact for longer than staleOk.window, and onExpiry is Hold */
        HF_GATE_HELD,
        HF_GATE_IMAGES, /* spec.waitForImages: not all of the policy's images are here */
    } gate;
    /* Mostly, no update starts unless `gate` is OPEN, a window is open, and spec.suspend is false. Otherwise an update
     * before its swap pauses and keeps its download; a later one finishes. Of these, only HELD, or `held`, stops
     * repairs. */
    bool held; /* the site has a hold: stops repairs, whatever the `gate` */
    /* The swap waits in Verified for a turn (TurnPending). Later phases and repairs need no turn. */
    bool turn_missing;
    /* If true, no download starts or continues (WriteBudgetUsed). Patching, later phases and repairs continue. */
    bool writes_used_up;
    /* Unless HF_LINK_OPEN, no download by network starts or continues (LinkWindowClosed, LinkQuotaUsed, ClockUnsure).
     * Patching, later phases, file: URLs and repairs continue. */
    enum hf_link link;
};
