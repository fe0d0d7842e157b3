/* SPDX-License-Identifier: Apache-2.0 */
/* manifests/rules/diff.h - makes a short text that lists what differs from the content of an entry. The text has at
 * most HF_DIFF_NAMES paths, each with one word for the kind of difference, then the number of further differences. It
 * never has content of a file. Pure. */
#pragma once

#include <stddef.h>

enum { HF_DIFF_NAMES = 5, HF_DIFF_TEXT = 400 };

enum hf_diff_kind {
    HF_DIFF_NONE,
    HF_DIFF_MISSING, /* the file does not exist */
    HF_DIFF_CONTENT,
    HF_DIFF_MODE,
    HF_DIFF_OWNER,
    HF_DIFF_TYPE, /* a link, a folder or a device is in the place of the file */
    HF_DIFF_KINDS,
};
const char *hf_diff_word(enum hf_diff_kind kind); /* Returns "missing", "content", ...; "" for HF_DIFF_NONE. */

struct hf_diff {
    char text[HF_DIFF_TEXT]; /* such as "a.conf (content), b.conf (missing)" */
    size_t n;                /* number of differences */
};

/* Adds a difference. If a path is too long, its beginning is replaced by "...". */
void hf_diff_add(struct hf_diff *diff, const char *path, enum hf_diff_kind kind);
/* Returns the text. Call this function once, after the last difference; if there are more than HF_DIFF_NAMES
 * differences, the text then ends with the number of further differences, such as " and 3 more". */
const char *hf_diff_text(struct hf_diff *diff);
