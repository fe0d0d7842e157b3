/* SPDX-License-Identifier: Apache-2.0 */
/* Lists what differs as a short text without content: at most HF_DIFF_NAMES paths, then the number of further paths. */
#pragma once

#include <stddef.h>

enum { HF_DIFF_NAMES = 5, HF_DIFF_TEXT = 400 };

enum hf_diff_kind {
    HF_DIFF_NONE,
    HF_DIFF_MISSING,
    HF_DIFF_CONTENT,
    HF_DIFF_MODE,
    HF_DIFF_OWNER,
    HF_DIFF_TYPE, /* a link, folder or device instead of the file */
    HF_DIFF_KINDS,
};

struct hf_diff {
    char text[HF_DIFF_TEXT]; /* such as "a.conf (content), b.conf (missing)" */
    size_t n;
};

/* Adds a path; of a long path only its end, behind "...". */
void hf_diff_add(struct hf_diff *diff, const char *path, enum hf_diff_kind kind);
/* Returns the text, to which it appends " and 3 more" if need be: call it once, at the end. */
const char *hf_diff_text(struct hf_diff *diff);
