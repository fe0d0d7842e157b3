/* SPDX-License-Identifier: Apache-2.0 */
/* Remembers which digest a registry last gave for each tag. Pure. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "codec/sha256.h"

struct hf_mirror_request;

enum { HF_MIRROR_TAGS = 256, HF_MIRROR_TAGS_TEXT = 256 << 10, HF_MIRROR_TAG_AGE_S = 3600 };

struct hf_mirror_tag {
    char *image; /* "registry.example:5000/team/app:1" */
    char sha256[HF_SHA256_HEX];
    uint64_t seen_unix_s;
};

struct hf_mirror_tags {
    struct hf_mirror_tag *items; /* when full, the tag seen longest ago is dropped */
    size_t n, cap;
};

void hf_mirror_tags_done(struct hf_mirror_tags *tags);

/* Notes a digest. 1: write the file, since the digest is new or another one, or the saved time differs by
 * HF_MIRROR_TAG_AGE_S or more. */
HF_MUST_USE int hf_mirror_tags_put(struct hf_mirror_tags *tags, const struct hf_mirror_request *request,
                                   const char *sha256, uint64_t now_unix_s);
/* Returns NULL if the tag is unknown, or was last seen more than `within_s` ago. A clock that went back does not count
 * as age. */
const struct hf_mirror_tag *hf_mirror_tags_find(const struct hf_mirror_tags *tags,
                                                const struct hf_mirror_request *request, uint64_t now_unix_s,
                                                uint64_t within_s);

/* Appends JSON. -E2BIG: above out->max. */
HF_MUST_USE int hf_mirror_tags_format(const struct hf_mirror_tags *tags, struct hf_buf *out);
/* Adds the tags in JSON, except invalid or known ones. -EBADMSG: other JSON. */
HF_MUST_USE int hf_mirror_tags_parse(struct hf_mirror_tags *tags, struct hf_view text, struct hf_err *err);
