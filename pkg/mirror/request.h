/* SPDX-License-Identifier: Apache-2.0 */
/* A request to the mirror, as containerd asks: the registry is in parameter `ns`. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/view.h"
#include "codec/sha256.h"

enum {
    HF_MIRROR_NAME = 256, /* a repository's, with terminator */
    HF_MIRROR_REGISTRY = 256,
    HF_MIRROR_REFERENCE = 136,
    HF_MIRROR_ACCEPT = 2048,
    HF_MIRROR_AUTHORIZATION = 256,
};

enum hf_mirror_kind { HF_MIRROR_PING, HF_MIRROR_MANIFEST, HF_MIRROR_BLOB, HF_MIRROR_REFERRERS };

struct hf_mirror_request {
    enum hf_mirror_kind kind;
    bool head;
    char registry[HF_MIRROR_REGISTRY];       /* as asked: "images.example", "registry.example:5000" */
    char name[HF_MIRROR_NAME];               /* "library/debian" */
    char reference[HF_MIRROR_REFERENCE];     /* tag, or "sha256:..." */
    char sha256[HF_SHA256_HEX];              /* reference's; "": a tag */
    char artifact_type[HF_MIRROR_REFERENCE]; /* referrers'; "": all */
    char accept[HF_MIRROR_ACCEPT];           /* all lines; "": any */
    char authorization[HF_MIRROR_AUTHORIZATION];
    bool ranged;       /* by `from` and `to`; other Ranges mean the whole */
    uint64_t from, to; /* inclusive; to UINT64_MAX: the end */
    bool patient;      /* X-Holdfast-Prefetch: no byte is due; what cannot be kept need not come */
};

/* 0, or the answer's status: 400, 404 (also digests other than sha256, which the next host may know), 405; *ret_request
 * then has `authorization`. */
int hf_mirror_request_parse(struct hf_view head, struct hf_mirror_request *ret_request);

/* "sha256:" and 64 lower case digits, which go to `hex`. */
bool hf_mirror_digest(struct hf_view text, char hex[HF_SHA256_HEX]);
