/* SPDX-License-Identifier: Apache-2.0 */
/* sync/stale_table.h - what the agent does while its view of the desired state is Fresh, Stale or Expired: one table,
 * which the parts of the agent ask before they act. Pure.
 *
 * The agent always keeps and repairs what runs. While the state is Expired and staleOk.onExpiry is Hold, the agent
 * begins nothing new. Some acts need the API server itself; a node that has lost contact does them when the server
 * answers again. tests/golden/stale_table.txt and holdfast-agent(8) show the whole table. */
#pragma once

#include <stdbool.h>

#include "api/syncpolicy.h"
#include "base/buf.h"
#include "sync/stale.h"

enum hf_stale_act {
    HF_STALE_ACT_NEW_RELEASE,         /* start to install a release */
    HF_STALE_ACT_RUNNING_UPDATE,      /* continue an update that has begun, or roll it back */
    HF_STALE_ACT_RELEASE_DRIFT,       /* repair the files of an installed release */
    HF_STALE_ACT_NEW_MANIFESTS,       /* apply new content of an entry of spec.manifests */
    HF_STALE_ACT_MANIFEST_DRIFT,      /* repair content of an entry that somebody changed */
    HF_STALE_ACT_PRUNE,               /* remove files or objects that an entry no longer has */
    HF_STALE_ACT_LABELS,              /* write the labels of the Node */
    HF_STALE_ACT_TELEMETRY,           /* collect, keep and send telemetry to its sinks */
    HF_STALE_ACT_SECRET_ROTATION,     /* write the new content of a Secret */
    HF_STALE_ACT_CLOCK_RESYNC,        /* ask the node's time service to synchronize */
    HF_STALE_ACT_CERTIFICATE_RENEWAL, /* renew the client certificate */
    HF_STALE_ACTS,
};

enum hf_stale_answer {
    HF_STALE_DOES,
    HF_STALE_WAITS,            /* the agent waits until there is contact, and reports the reason Stale */
    HF_STALE_NEEDS_THE_SERVER, /* the agent does it when the API server answers */
    HF_STALE_ANSWERS,
};

/* Returns the answer of the table for this act in this state. */
enum hf_stale_answer hf_stale_table_answer(enum hf_stale_act act, enum hf_staleness staleness,
                                           enum hf_on_expiry on_expiry);

/* Returns true if the agent may do the act now, which means that the answer of the table is not HF_STALE_WAITS. Also
 * returns true for HF_STALE_NEEDS_THE_SERVER: the act then fails, and the agent tries again, until the server
 * answers. */
bool hf_stale_table_may(enum hf_stale_act act, enum hf_staleness staleness, enum hf_on_expiry on_expiry);

/* Appends the whole table to *out as text, one line for each act. Returns 0 or -errno of the buffer. */
HF_MUST_USE int hf_stale_table_print(struct hf_buf *out);
