/* SPDX-License-Identifier: Apache-2.0 */
/* The digests that registries last gave for tags. Pure. */
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
    struct hf_mirror_tag *items; /* full, it loses the one seen longest ago */
    size_t n, cap;
};

void hf_mirror_tags_done(struct hf_mirror_tags *tags);

/* 1: write the file: a new or other digest, or a time HF_MIRROR_TAG_AGE_S off. */
HF_MUST_USE int hf_mirror_tags_put(struct hf_mirror_tags *tags, const struct hf_mirror_request *request,
                                   const char *sha256, uint64_t now_unix_s);
/* NULL: unknown, or not seen `within_s`. A clock that went back ages nothing. */
const struct hf_mirror_tag *hf_mirror_tags_find(const struct hf_mirror_tags *tags,
                                                const struct hf_mirror_request *request, uint64_t now_unix_s,
                                                uint64_t within_s);

/* Appends JSON. -E2BIG. */
HF_MUST_USE int hf_mirror_tags_format(const struct hf_mirror_tags *tags, struct hf_buf *out);
/* Adds tags, except wrong ones. -EBADMSG. */
HF_MUST_USE int hf_mirror_tags_parse(struct hf_mirror_tags *tags, struct hf_view text, struct hf_err *err);
