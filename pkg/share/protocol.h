/* SPDX-License-Identifier: Apache-2.0 */
/* Texts between a site's agents. Pure; untrusted.
 *
 *   over UDP    "holdfast-share 1 ask CLUSTER\n" to the group, "holdfast-share 1 here CLUSTER\n" back
 *   over TLS    GET /v1/state/SHA256      who asks wants it; answer: "have", "fetching BYTES", "wanted" or "absent"
 *               GET /v1/content/SHA256    200, or 206 for "Range: bytes=N-" */
#pragma once

#include "base/view.h"
#include "codec/sha256.h"
#include "share/election.h"

enum { HF_SHARE_CLUSTER = 17, HF_SHARE_DATAGRAM = 64, HF_SHARE_STATE_TEXT = 40 };

struct hf_share_request {
    bool content; /* else state */
    char sha256[HF_SHA256_HEX];
    uint64_t from;
    bool ranged;
};

/* -EBADMSG: method, path, Range, or no HTTP/1. */
int hf_share_request_parse(struct hf_view head, struct hf_share_request *ret_request);

const char *hf_share_state_format(enum hf_share_state state, uint64_t bytes, char text[HF_SHARE_STATE_TEXT]);
int hf_share_state_parse(struct hf_view text, enum hf_share_state *ret_state, uint64_t *ret_bytes);

/* Names the nodes of one authority: part of its certificate's hash, hex. */
const char *hf_share_cluster(const char *ca_pem, char cluster[HF_SHARE_CLUSTER]);
size_t hf_share_datagram_format(bool ask, const char *cluster, char text[HF_SHARE_DATAGRAM]);
/* 1: ask, 0: here, -EBADMSG: not of this cluster. */
int hf_share_datagram_parse(struct hf_view text, const char *cluster);
