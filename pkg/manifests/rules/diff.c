/* SPDX-License-Identifier: Apache-2.0 */
#include "manifests/rules/diff.h"

#include <stdio.h>
#include <string.h>

enum { MAX_PATH = 48 };

static const char *word_of(enum hf_diff_kind kind)
{
    static const char *const words[HF_DIFF_KINDS] = {
        [HF_DIFF_NONE] = "",     [HF_DIFF_MISSING] = "missing", [HF_DIFF_CONTENT] = "content",
        [HF_DIFF_MODE] = "mode", [HF_DIFF_OWNER] = "owner",     [HF_DIFF_TYPE] = "type",
    };

    return kind < HF_DIFF_KINDS ? words[kind] : "";
}

/* Bytes of UTF-8 that continue a character are no place to cut at. */
static const char *tail_of(const char *path)
{
    size_t n = strlen(path);

    if (n <= MAX_PATH)
        return path;
    path += n - MAX_PATH;
    while (((unsigned char)*path & 0xC0) == 0x80)
        path++;
    return path;
}

void hf_diff_add(struct hf_diff *diff, const char *path, enum hf_diff_kind kind)
{
    const char *tail = tail_of(path);
    size_t used = strlen(diff->text);

    if (diff->n++ < HF_DIFF_NAMES)
        (void)snprintf(diff->text + used, sizeof(diff->text) - used, "%s%s%s (%s)", used > 0 ? ", " : "",
                       tail != path ? "..." : "", tail, word_of(kind));
}

const char *hf_diff_text(struct hf_diff *diff)
{
    size_t used = strlen(diff->text);

    if (diff->n > HF_DIFF_NAMES)
        (void)snprintf(diff->text + used, sizeof(diff->text) - used, " and %zu more", diff->n - HF_DIFF_NAMES);
    return diff->text;
}
