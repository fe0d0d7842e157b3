/* SPDX-License-Identifier: Apache-2.0 */
/* What the node permits, and which set the entry now is. */
#pragma once

#include "api/manifest_reason.h"
#include "base/err.h"
#include "config/config.h"
#include "manifests/state/record.h"

struct entry;

/* Set by entry.c. */
struct permit {
    bool is_signed;
    enum hf_manifest_reason distrust; /* why not signed */
    char distrust_text[HF_RECORD_MESSAGE];
    /* the entry is or was refused, perhaps before this process: the next permitted set counts as new */
    bool was_refused;
    struct hf_manifest_set keyed; /* permit.c's cache: an equal set has the same key */
};

/* Does the node permit the wanted entry, apart from its paths? NONE: yes. */
enum hf_manifest_reason permit_ask(struct entry *entry, struct hf_err *err);
/* Set of the wanted entry and the newest content. -ENOENT: no content yet. */
int permit_candidate(struct entry *entry, struct hf_manifest_set *ret_set, struct hf_err *err);
enum hf_config_scope permit_scope(bool is_signed);
