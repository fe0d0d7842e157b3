/* SPDX-License-Identifier: Apache-2.0 */
/* Parses a request of containerd to the mirror, which names the registry in parameter `ns`. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/view.h"
#include "codec/sha256.h"

enum {
    HF_MIRROR_NAME = 256,
    HF_MIRROR_REGISTRY = 256,
    HF_MIRROR_REFERENCE = 136,
    HF_MIRROR_ACCEPT = 2048,
    HF_MIRROR_AUTHORIZATION = 256,
};

enum hf_mirror_kind { HF_MIRROR_PING, HF_MIRROR_MANIFEST, HF_MIRROR_BLOB, HF_MIRROR_REFERRERS };

struct hf_mirror_request {
    enum hf_mirror_kind kind;
    bool head;
    char registry[HF_MIRROR_REGISTRY]; /* "images.example", "registry.example:5000" */
    char name[HF_MIRROR_NAME];
    char reference[HF_MIRROR_REFERENCE];     /* a tag or "sha256:..." */
    char sha256[HF_SHA256_HEX];              /* digest in `reference`; "": a tag */
    char artifact_type[HF_MIRROR_REFERENCE]; /* wanted type of referrers; "": all */
    char accept[HF_MIRROR_ACCEPT];           /* all Accept lines joined; "": any type */
    char authorization[HF_MIRROR_AUTHORIZATION];
    bool ranged;       /* a part is wanted; Ranges of any other form mean the whole */
    uint64_t from, to; /* inclusive; to = UINT64_MAX: to the end */
    /* header X-Holdfast-Prefetch: the client can wait, and needs no bytes that the cache cannot keep */
    bool patient;
};

/* Returns 0, or the status to answer: 400, 404 (also for digests other than sha256), 405. After 404 and 405
 * *ret_request has `authorization`. */
int hf_mirror_request_parse(struct hf_view head, struct hf_mirror_request *ret_request);

/* Whether the text is "sha256:" and 64 lower case hex digits; copies the digits to `hex`. */
bool hf_mirror_digest(struct hf_view text, char hex[HF_SHA256_HEX]);
