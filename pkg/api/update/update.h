/* SPDX-License-Identifier: Apache-2.0 */
/* api/update/update.h - what is wanted of the updater, and the status that it tells. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "api/edgeupdate.h"
#include "api/link/link.h"
#include "api/update/phase.h"
#include "api/update/reason.h"

/* The status of one release on this node. Whoever makes one says how long the strings are valid. */
struct hf_update_status {
    const char *name;
    enum hf_phase phase;
    /* version of the release that the journal records; `sequence` and `digest` belong to the same release */
    const char *version;
    uint64_t sequence;
    const char *digest;
    const char *installed; /* version of the file or tree at install.path; "" if unknown */
    const char *from;      /* version that was installed before this update; "" if unknown */
    const char *method;    /* "Delta" or "Full"; "" before the engine has chosen the method */
    /* bytes received over the network for this update, in all its attempts; a copy from a file: URL does not count */
    uint64_t bytes_fetched;
    unsigned attempts;
    const char *reason;    /* such as "HealthPassed"; api/update/reason.h lists all reasons */
    const char *message;   /* text for a person: what happened, where, why, and what to do; at most 256 bytes */
    uint64_t time_unix_ns; /* time of the last change of phase */
    /* true if the engine does nothing more for this release until something outside the engine changes */
    bool settled;
};

/* A release that the caller wants, and the caller's decision whether an update to this release may start. */
struct hf_desired {
    struct hf_edgeupdate *update; /* borrowed for the call; the engine keeps a reference to the JSON in it */
    enum hf_desired_gate {
        HF_GATE_OPEN,
        HF_GATE_NOT_ADMITTED,
        /* the node has had no contact with the source for longer than staleOk.window, and the policy holds updates in
         * this case */
        HF_GATE_STALE,
        HF_GATE_HELD, /* the site's own order not to update is in force */
    } gate;
    /* If the gate is not OPEN, no update starts, and an update that has not reached the swap pauses and keeps its
     * download. A closed window and spec.suspend have the same effect. From the swap on, an update runs to its end with
     * any gate. Of these conditions, only the gate HELD stops a repair of the committed release; the field `held` stops
     * it too. */
    /* true if the site's own order not to update is in force; this field stops only repairs, whatever the value of
     * `gate`; other updates ignore it */
    bool held;
    /* True if the swap needs a turn, and this node has none. The update then fetches, patches and verifies, and waits
     * in the phase Verified with the reason TurnPending. From the swap on, the turn has no effect. A repair needs no
     * turn. */
    bool turn_missing;
    /* True if the policy's write budget is used up. Then no download starts or continues (reason WriteBudgetUsed). An
     * update that has reached the phase Patching continues, and repairs do not wait. */
    bool writes_used_up;
    /* Whether spec.connectivity of the policy allows bulk transfers. With any value except HF_LINK_OPEN, no download
     * over the network starts or continues (reasons LinkWindowClosed, LinkQuotaUsed, ClockUnsure). An update that has
     * reached the phase Patching continues, and so does an update whose artifact has a file: URL. Repairs do not
     * wait. */
    enum hf_link link;
};
