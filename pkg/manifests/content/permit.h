/* SPDX-License-Identifier: Apache-2.0 */
/* Decides what the node permits an entry, and which set the entry now is. */
#pragma once

#include "api/manifest_reason.h"
#include "base/err.h"
#include "config/config.h"
#include "manifests/state/record.h"

struct entry;

struct permit {
    bool is_signed;
    enum hf_manifest_reason distrust; /* why the signature was not accepted */
    char distrust_text[HF_RECORD_MESSAGE];
    /* the entry was refused, perhaps by an earlier process: its next permitted set counts as new */
    bool was_refused;
    struct hf_manifest_set keyed;
};

/* Returns why the node does not permit the wanted entry, or NONE. Its paths are checked elsewhere. */
enum hf_manifest_reason permit_ask(struct entry *entry, struct hf_err *err);
/* Makes the set of the wanted entry and the newest content. -ENOENT: no content of its source. */
int permit_candidate(struct entry *entry, struct hf_manifest_set *ret_set, struct hf_err *err);
enum hf_config_scope permit_scope(bool is_signed);
