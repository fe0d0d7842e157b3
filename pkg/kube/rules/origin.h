/* SPDX-License-Identifier: Apache-2.0 */
/* Decides whether the API server answered, or a proxy on this node in its place (OpenYurt's YurtHub). */
#pragma once

#include <stdbool.h>

struct hf_origin {
    bool is_hub;     /* the address is YurtHub's */
    bool has_named;  /* an answer had Audit-Id, and no gateway removes it */
    bool is_unnamed; /* a gateway removes Audit-Id */
    bool was_second_hand;
};

struct hf_origin hf_origin_of(const char *server);

struct hf_origin_answer {
    int status;
    bool has_audit_id;
    const char *content_type;
};

/* Whether a proxy answered. Never true for 5xx, or for what is not JSON. */
bool hf_origin_is_second_hand(struct hf_origin *origin, const struct hf_origin_answer *answer);

/* Whether a proxy made a 5xx: the answer lacks Audit-Id, although earlier answers had it or the address is
 * YurtHub's. */
bool hf_origin_is_proxy_failure(const struct hf_origin *origin, int status, bool has_audit_id);

/* Call if a gateway removes Audit-Id: no answer is second-hand any more, except at YurtHub's address. */
void hf_origin_found_unnamed(struct hf_origin *origin);
