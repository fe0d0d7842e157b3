/* SPDX-License-Identifier: Apache-2.0 */
/* What a site's agents send each other. Pure; the texts are untrusted.
 *
 *   over UDP    "holdfast-share 1 ask CLUSTER\n" to the group, "holdfast-share 1 here CLUSTER\n" back
 *   over TLS    GET /v1/state/SHA256      the asker wants it; answer: "have", "fetching BYTES", "wanted" or "absent"
 *               GET /v1/content/SHA256    200, or 206 for "Range: bytes=N-" */
#pragma once

#include "base/view.h"
#include "codec/sha256.h"
#include "share/election.h"

enum { HF_SHARE_CLUSTER = 17, HF_SHARE_DATAGRAM = 64, HF_SHARE_STATE_TEXT = 40 };

struct hf_share_request {
    bool content; /* it asks for content, else for a state */
    char sha256[HF_SHA256_HEX];
    uint64_t from;
    bool ranged;
};

/* -EBADMSG: bad method, path or Range, or not HTTP/1. */
int hf_share_request_parse(struct hf_view head, struct hf_share_request *ret_request);

const char *hf_share_state_format(enum hf_share_state state, uint64_t bytes, char text[HF_SHARE_STATE_TEXT]);
int hf_share_state_parse(struct hf_view text, enum hf_share_state *ret_state, uint64_t *ret_bytes);

/* Writes the CLUSTER of nodes with this certificate authority: a part of its PEM's hash, in hex. */
const char *hf_share_cluster(const char *ca_pem, char cluster[HF_SHARE_CLUSTER]);
size_t hf_share_datagram_format(bool ask, const char *cluster, char text[HF_SHARE_DATAGRAM]);
/* Returns 1 for "ask", 0 for "here". -EBADMSG: any other text, or another cluster. */
int hf_share_datagram_parse(struct hf_view text, const char *cluster);
