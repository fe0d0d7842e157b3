/* SPDX-License-Identifier: Apache-2.0 */
/* kube/rules/origin.h - finds out which of the two answered: the API server, or a proxy on this node in its place.
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
 * An API server writes the header Audit-Id into each answer, and YurtHub passes it on. YurtHub's own answers do not
 * have it. So an answer without this header may be second-hand. The rule depends on what is known about the server:
 *
 *     the server                                          an answer in JSON without the header is second-hand
 *     its address is one of YurtHub's                     if its status is below 500
 *     an earlier answer had the header                    if its status is 200, 201, 400, 403 or 404 (YurtHub's own)
 *     no answer had the header, or a gateway removes it   never
 *
 * The second row has fewer statuses, because a server at any other address may be a gateway. A gateway's own answers,
 * such as 401 and 429, do not have the header either, and the client must act on them.
 *
 * A gateway may also begin to remove the header from the answers of the API server. Then each answer looks second-hand.
 * A SelfSubjectAccessReview (kube/rules/review.h) distinguishes such a gateway from YurtHub, because only an API server
 * gives a verdict. YurtHub answers with a copy of the question. If an answer has the verdict of an API server but not
 * the header, a gateway removes the header, and no answer of this server is second-hand any more.
 *
 * Pure. */
#pragma once

#include <stdbool.h>

struct hf_origin {
    bool is_hub;          /* true if the address of the server is one of YurtHub's */
    bool has_named;       /* true if an answer had the header Audit-Id, and no gateway is known to remove it */
    bool is_unnamed;      /* true if a gateway removes the header from the answers of the API server */
    bool was_second_hand; /* true if an answer was second-hand */
};

/* Returns the state before the first answer. `server` is the URL of the server, such as "https://169.254.2.1:10268". */
struct hf_origin hf_origin_of(const char *server);

/* What one answer says about its origin. */
struct hf_origin_answer {
    int status;               /* HTTP status */
    bool has_audit_id;        /* true if the answer has the header Audit-Id */
    const char *content_type; /* header Content-Type; "" if absent */
};

/* Takes note of an answer. Returns true if it is second-hand. Answers of status 5xx and answers that are not JSON are
 * never second-hand: such an answer shows by itself that it does not come from a working API server. */
bool hf_origin_is_second_hand(struct hf_origin *origin, const struct hf_origin_answer *answer);

/* Returns true if an answer is a 5xx that a proxy made up because it does not reach the API server. The sign is that
 * the header Audit-Id is absent, although an earlier answer had it or the address of the server is one of YurtHub's. */
bool hf_origin_is_proxy_failure(const struct hf_origin *origin, int status, bool has_audit_id);

/* Call this function when a review has shown that a gateway removes the header. From then on, no answer of this server
 * is second-hand. A server whose address is one of YurtHub's is an exception. */
void hf_origin_found_unnamed(struct hf_origin *origin);
