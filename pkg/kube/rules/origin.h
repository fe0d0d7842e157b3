/* SPDX-License-Identifier: Apache-2.0 */
/* Which of the two answered: the API server, or a proxy on this node in its place. Pure.
 *
 * OpenYurt's YurtHub stands between the pods of a node and the API server. While it does not reach the API server, it
 * answers by itself:
 *
 *     request                  answer of YurtHub while the API server is away
 *     LIST, GET                200 with objects from its cache; 404 for an object that is not there; 400 if it keeps
 *                              no cache for this client
 *     watch                    200 and a stream without events, which ends when the API server is back
 *     PATCH, PUT               200 with the object from its cache, unchanged: the write is lost; or 400, as above
 *     POST                     201 with a copy of the request: the write is lost
 *     DELETE                   403
 *     /version                 200 with the version of the API server, at all times
 *     LIST, watch of Services  200 with Services from its memory, at all times
 *
 * Only answers of an API server have the header Audit-Id, which YurtHub passes on:
 *
 *     the server                                          an answer in JSON without the header is second-hand
 *     its address is one of YurtHub's                     if its status is below 500
 *     an earlier answer had the header                    if its status is 200, 201, 400, 403 or 404 (YurtHub's own)
 *     no answer had the header, or a gateway removes it   never
 *
 * The second row has fewer, because such a server may be a gateway, whose own answers (401, 429) lack the header. Where
 * a gateway may have begun to remove it, a SelfSubjectAccessReview (kube/rules/review.h) decides: only an API server
 * gives a verdict. After one without the header no answer of this server is second-hand any more. */
#pragma once

#include <stdbool.h>

struct hf_origin {
    bool is_hub;          /* by the server's address */
    bool has_named;       /* and no gateway is known to remove it */
    bool is_unnamed;      /* by a gateway */
    bool was_second_hand; /* an answer */
};

/* `server`: its URL. */
struct hf_origin hf_origin_of(const char *server);

struct hf_origin_answer {
    int status;
    bool has_audit_id;
    const char *content_type; /* or "" */
};

/* 5xx and what is not JSON are never second-hand: no working API server sent them. */
bool hf_origin_is_second_hand(struct hf_origin *origin, const struct hf_origin_answer *answer);

/* A 5xx of a proxy: without Audit-Id, though earlier answers had it or the address is YurtHub's. */
bool hf_origin_is_proxy_failure(const struct hf_origin *origin, int status, bool has_audit_id);

/* A gateway removes the header: nothing is second-hand from now on, unless the address is YurtHub's. */
void hf_origin_found_unnamed(struct hf_origin *origin);
