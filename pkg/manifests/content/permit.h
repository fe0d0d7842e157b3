/* SPDX-License-Identifier: Apache-2.0 */
/* manifests/content/permit.h - what the node permits, and which set the entry now is. */
#pragma once

#include "api/manifest_reason.h"
#include "base/err.h"
#include "config/config.h"
#include "manifests/state/record.h"

struct entry;

/* What is known of the permission of an entry; entry.c sets this. */
struct permit {
    bool is_signed;
    enum hf_manifest_reason distrust; /* why it does not count as signed */
    char distrust_text[HF_RECORD_MESSAGE];
    /* the entry itself is or was refused, or the process started in the phase Refused; the next set that is permitted
     * counts as new */
    bool was_refused;
    struct hf_manifest_set keyed; /* set by permit.c: the last one whose key was computed; an equal set has the same */
};

/* Checks if the node permits the wanted entry. Does not look at the paths of the entry. Returns the reason for a
 * refusal, or HF_MANIFEST_REASON_NONE. */
enum hf_manifest_reason permit_ask(struct entry *entry, struct hf_err *err);
/* Makes the set that consists of the wanted entry and the newest content. -ENOENT: the source of this entry has not
 * delivered a content. */
int permit_candidate(struct entry *entry, struct hf_manifest_set *ret_set, struct hf_err *err);
enum hf_config_scope permit_scope(bool is_signed);
