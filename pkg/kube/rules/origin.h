/* SPDX-License-Identifier: Apache-2.0 */
/* Did the API server answer, or a proxy on this node in its place (OpenYurt's YurtHub)? */
#pragma once

#include <stdbool.h>

struct hf_origin {
    bool is_hub;     /* YurtHub's address */
    bool has_named;  /* an answer had Audit-Id, and no gateway removes it */
    bool is_unnamed; /* a gateway removes Audit-Id */
    bool was_second_hand;
};

/* `server`: a URL. */
struct hf_origin hf_origin_of(const char *server);

struct hf_origin_answer {
    int status;
    bool has_audit_id;
    const char *content_type; /* or "" */
};

/* A proxy answered. Never for 5xx, or what is not JSON. */
bool hf_origin_is_second_hand(struct hf_origin *origin, const struct hf_origin_answer *answer);

/* A proxy's 5xx: without Audit-Id, though earlier answers had it or the address is YurtHub's. */
bool hf_origin_is_proxy_failure(const struct hf_origin *origin, int status, bool has_audit_id);

/* A gateway removes the header: nothing is second-hand any more, unless the address is YurtHub's. */
void hf_origin_found_unnamed(struct hf_origin *origin);
