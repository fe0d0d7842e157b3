/* SPDX-License-Identifier: Apache-2.0 */
/* OpenYurt's YurtHub stands between the pods of a node and the API server. While it does not reach the API server, it
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
#include "kube/rules/origin.h"

#include <string.h>
#include <strings.h>

#include "base/macros.h"

/* YurtHub's ports for requests of pods and of the host, over HTTPS and HTTP, at its addresses on a node. */
struct hf_origin hf_origin_of(const char *server)
{
    static const char *const hosts[] = {"169.254.2.1", "127.0.0.1", "localhost", "[fd00::2:1]", "[::1]"};
    static const char *const ports[] = {":10268", ":10261"};
    const char *scheme = strstr(server, "://");
    struct hf_origin origin = {.is_hub = false};

    if (scheme == NULL)
        return origin;
    for (size_t i = 0; i < HF_LEN(hosts); i++) {
        size_t n = strlen(hosts[i]);
        if (strncmp(scheme + 3, hosts[i], n) != 0)
            continue;
        for (size_t p = 0; p < HF_LEN(ports); p++)
            origin.is_hub |= strcmp(scheme + 3 + n, ports[p]) == 0;
    }
    return origin;
}

/* The statuses that YurtHub makes up below 500. */
static bool is_made_up(int status)
{
    return status == 200 || status == 201 || status == 400 || status == 403 || status == 404;
}

bool hf_origin_is_second_hand(struct hf_origin *origin, const struct hf_origin_answer *answer)
{
    static const char json[] = "application/json";

    if (answer->has_audit_id) {
        origin->has_named = !origin->is_unnamed;
        return false;
    }
    bool second_hand = (origin->is_hub ? answer->status < 500 : origin->has_named && is_made_up(answer->status)) &&
                       strncasecmp(answer->content_type, json, sizeof(json) - 1) == 0;
    origin->was_second_hand |= second_hand;
    return second_hand;
}

bool hf_origin_is_proxy_failure(const struct hf_origin *origin, int status, bool has_audit_id)
{
    return (origin->is_hub || origin->has_named) && status >= 500 && !has_audit_id;
}

void hf_origin_found_unnamed(struct hf_origin *origin)
{
    *origin = (struct hf_origin){.is_hub = origin->is_hub, .is_unnamed = true};
}
