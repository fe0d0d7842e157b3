/* SPDX-License-Identifier: Apache-2.0 */
/* The file with the images that this node may pull, which the agent writes (by rename, so it is whole) and
 * holdfast-verify reads:
 *
 *     holdfast-images 1
 *     policy site-images          the signed SyncPolicy
 *     sequence 7                  of that policy
 *     since 1764400000            Unix time that it certainly was when this was written
 *     expires 1800000000
 *     digests 2
 *     seal 0123456789abcdef       FNV-1a of the lines above
 *     <64 hex digits>             SHA-256, ascending, each once
 *     ...
 *
 * Libc only. Threads: any. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    HF_IMAGE_LIST_MAX = 10000,
    HF_IMAGE_LIST_HEADER = 512, /* with the final NUL */
    HF_IMAGE_LIST_HEX = 64,
    HF_IMAGE_LIST_ROW = HF_IMAGE_LIST_HEX + 1,
    HF_IMAGE_LIST_POLICY = 254,
};

struct hf_image_list {
    char policy[HF_IMAGE_LIST_POLICY];
    uint64_t sequence, since_s, expires_s;
    uint64_t n;      /* 1 to HF_IMAGE_LIST_MAX */
    uint64_t offset; /* of the first digest */
};

enum hf_image_verdict {
    HF_IMAGE_ALLOWED,
    HF_IMAGE_NOT_LISTED,
    HF_IMAGE_LIST_EXPIRED,
    HF_IMAGE_LIST_MISSING,
    HF_IMAGE_LIST_UNREADABLE,
    HF_IMAGE_LIST_UNSAFE, /* another user owns or may write it */
    HF_IMAGE_LIST_DAMAGED,
    HF_IMAGE_BAD_REQUEST, /* no SHA-256 */
    HF_IMAGE_VERDICTS,
};

/* "NotListed"; a sentence for a person. */
const char *hf_image_list_verdict_name(enum hf_image_verdict verdict);
const char *hf_image_list_verdict_text(enum hf_image_verdict verdict);

/* Writes the lines before the digests; the caller fills policy (a DNS name), sequence, times and n. Returns its
 * length. */
size_t hf_image_list_header(const struct hf_image_list *list, char text[HF_IMAGE_LIST_HEADER]);

/* ALLOWED: *ret_list is what the file says. `trusted_uid`: the owner beside root of file and folder. Else UNREADABLE,
 * MISSING, UNSAFE or DAMAGED. *ret_fd is the file's, which the caller closes, or -1. */
enum hf_image_verdict hf_image_list_open(const char *path, unsigned trusted_uid, int *ret_fd,
                                         struct hf_image_list *ret_list);

/* ALLOWED, NOT_LISTED, EXPIRED, DAMAGED, UNREADABLE or BAD_REQUEST. Reads about 14 rows. `now_s`: by the wall clock. */
enum hf_image_verdict hf_image_list_judge(int fd, const struct hf_image_list *list, const char *digest, uint64_t now_s);
