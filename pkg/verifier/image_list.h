/* SPDX-License-Identifier: Apache-2.0 */
/* Images that this node may pull, in a file that the agent writes and holdfast-verify reads:
 *
 *     holdfast-images 1
 *     policy site-images          the signed SyncPolicy
 *     sequence 7                  of that policy
 *     since 1764400000            Unix time, certainly past when written
 *     expires 1800000000
 *     digests 2
 *     seal 0123456789abcdef       FNV-1a of the lines above
 *     <64 hex digits>             SHA-256, ascending, each once
 *     ...
 *
 * Libc only. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    HF_IMAGE_LIST_MAX = 10000,
    HF_IMAGE_LIST_HEADER = 512, /* bytes with terminator */
    HF_IMAGE_LIST_HEX = 64,
    HF_IMAGE_LIST_ROW = HF_IMAGE_LIST_HEX + 1,
    HF_IMAGE_LIST_POLICY = 254,
};

struct hf_image_list {
    char policy[HF_IMAGE_LIST_POLICY];
    uint64_t sequence, since_s, expires_s;
    uint64_t n;      /* 1 to HF_IMAGE_LIST_MAX */
    uint64_t offset; /* of the digests, in bytes */
};

enum hf_image_verdict {
    HF_IMAGE_ALLOWED,
    HF_IMAGE_NOT_LISTED,
    HF_IMAGE_LIST_EXPIRED,
    HF_IMAGE_LIST_MISSING,
    HF_IMAGE_LIST_UNREADABLE,
    HF_IMAGE_LIST_UNSAFE, /* others own or may write file or folder, or it is no regular file */
    HF_IMAGE_LIST_DAMAGED,
    HF_IMAGE_BAD_REQUEST, /* the digest is no SHA-256 */
    HF_IMAGE_VERDICTS,
};

/* Return a word such as "NotListed", and a text for people. */
const char *hf_image_list_verdict_name(enum hf_image_verdict verdict);
const char *hf_image_list_verdict_text(enum hf_image_verdict verdict);

/* Formats the lines before the digests, and returns their length. */
size_t hf_image_list_header(const struct hf_image_list *list, char text[HF_IMAGE_LIST_HEADER]);

/* ALLOWED: *ret_list describes the file, and the caller closes *ret_fd. Else UNREADABLE, MISSING, UNSAFE or DAMAGED,
 * and *ret_fd is -1. `trusted_uid` may own file and folder, as root may. */
enum hf_image_verdict hf_image_list_open(const char *path, unsigned trusted_uid, int *ret_fd,
                                         struct hf_image_list *ret_list);

/* Returns ALLOWED, NOT_LISTED, EXPIRED, DAMAGED, UNREADABLE or BAD_REQUEST. `now_s`: wall clock. */
enum hf_image_verdict hf_image_list_judge(int fd, const struct hf_image_list *list, const char *digest, uint64_t now_s);
