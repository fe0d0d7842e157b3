/* SPDX-License-Identifier: Apache-2.0 */
/* What differs, as a short text: at most HF_DIFF_NAMES paths, each with a word, then how many more; no content. */
#pragma once

#include <stddef.h>

enum { HF_DIFF_NAMES = 5, HF_DIFF_TEXT = 400 };

enum hf_diff_kind {
    HF_DIFF_NONE,
    HF_DIFF_MISSING,
    HF_DIFF_CONTENT,
    HF_DIFF_MODE,
    HF_DIFF_OWNER,
    HF_DIFF_TYPE, /* link, folder or device in its place */
    HF_DIFF_KINDS,
};

struct hf_diff {
    char text[HF_DIFF_TEXT]; /* such as "a.conf (content), b.conf (missing)" */
    size_t n;
};

/* Of a long path the end, behind "...". */
void hf_diff_add(struct hf_diff *diff, const char *path, enum hf_diff_kind kind);
/* Call it once, at the end: it appends " and 3 more". */
const char *hf_diff_text(struct hf_diff *diff);
