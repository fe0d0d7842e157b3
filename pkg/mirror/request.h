/* SPDX-License-Identifier: Apache-2.0 */
/* A request to the mirror: the pull half of the OCI distribution specification, as containerd asks a mirror, with the
 * registry in the parameter `ns`. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/view.h"
#include "codec/sha256.h"

enum {
    HF_MIRROR_NAME = 256, /* of a repository, with its end */
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
    char reference[HF_MIRROR_REFERENCE];     /* a tag, or "sha256:..." */
    char sha256[HF_SHA256_HEX];              /* of the reference; "": a tag */
    char artifact_type[HF_MIRROR_REFERENCE]; /* of a request for referrers; "": all */
    char accept[HF_MIRROR_ACCEPT];           /* all its lines; "": any */
    char authorization[HF_MIRROR_AUTHORIZATION];
    bool ranged;       /* `from` and `to` count; other forms of Range mean the whole */
    uint64_t from, to; /* inclusive; to UINT64_MAX: the end */
    bool patient;      /* X-Holdfast-Prefetch: no byte is due, and what cannot be kept need not come */
};

/* 0, or the status to answer: 400, 404 (also other digests than sha256, which the next host may know), 405. Then
 * *ret_request still has `authorization`. */
int hf_mirror_request_parse(struct hf_view head, struct hf_mirror_request *ret_request);

/* "sha256:" and 64 digits in lower case: their text to `hex`. */
bool hf_mirror_digest(struct hf_view text, char hex[HF_SHA256_HEX]);
