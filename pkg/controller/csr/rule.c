/* SPDX-License-Identifier: Apache-2.0 */
/* The certificate names the node and the uid of its Node. The requester must prove to be the node, by a service account
 * token bound to it, by the certificate that it renews, or by its kubelet's certificate. The cluster's signer issues
 * it. */
#include "controller/csr/rule.h"

#include <stdio.h>
#include <string.h>

#include "api/field/text.h"
#include "base/encoding/base64.h"
#include "base/format.h"
#include "base/parse.h"
#include "trust/certificate.h"
#include "trust/csr_parse.h"

#define HF_CSR_USER "holdfast:agent:" /* plus the node's name: the common name */
#define HF_CSR_KUBELET "system:node:" /* plus the node's name: the user that a kubelet is */
#define HF_CSR_KUBELETS "system:nodes"
#define HF_CSR_NAME_PREFIX "holdfast-agent-" /* of the requests that agents make */

#define NODE_CLAIM "authentication.kubernetes.io/node-name"
#define UID_CLAIM "authentication.kubernetes.io/node-uid"

static void deny(struct hf_csr_decision *decision, const char *reason, const char *format, ...) HF_PRINTF(3, 4);

static void deny(struct hf_csr_decision *decision, const char *reason, const char *format, ...)
{
    va_list list;

    decision->verdict = HF_CSR_DENY;
    decision->reason = reason;
    va_start(list, format);
    (void)vsnprintf(decision->message, sizeof(decision->message), format, list);
    va_end(list);
}

/* Returns the only string of an array, or NULL. */
static const char *only(const json_t *array)
{
    return json_array_size(array) == 1 ? json_string_value(json_array_get(array, 0)) : NULL;
}

static bool holds(const json_t *array, const char *text)
{
    for (size_t i = 0; i < json_array_size(array); i++) {
        const char *item = json_string_value(json_array_get(array, i));
        if (item != NULL && strcmp(item, text) == 0)
            return true;
    }
    return false;
}

static bool is_decided(const json_t *object)
{
    return json_array_size(hf_json_at(object, "status.conditions")) > 0 ||
           hf_json_str_or(object, "status.certificate", "")[0] != '\0';
}

/* ---- the requester ----------------------------------------------------------------------------------------------- */

enum requester { SOMEBODY, ACCOUNT, AGENT, KUBELET, REQUESTERS };

static const char *const requester_words[REQUESTERS] = {[SOMEBODY] = "",
                                                        [ACCOUNT] = "the agent's service account",
                                                        [AGENT] = "the agent",
                                                        [KUBELET] = "the node's kubelet"};

static const char *const nameless_words[REQUESTERS] = {
    [SOMEBODY] = "",
    [ACCOUNT] = ("the requester's token names no node: expected a token of a pod, in extra." NODE_CLAIM),
    [AGENT] = "the requester's certificate names no node",
    [KUBELET] = "the kubelet's certificate names no node"};

/* Other programs ask with a kubelet's identity, too: what is not named as an agent's is left to others. */
static bool is_named_as_ours(const json_t *object)
{
    return strncmp(hf_json_str_or(object, "metadata.name", ""), HF_CSR_NAME_PREFIX, strlen(HF_CSR_NAME_PREFIX)) == 0;
}

/* Finds the node that the requester has proven to be. node: "" if the requester is an agent of no certain node. */
static enum requester find_requester(const json_t *object, const struct hf_csr_terms *terms, char node[254])
{
    const json_t *spec = json_object_get(object, "spec");
    const char *user = hf_json_str_or(spec, "username", ""), *claim = NULL;
    const size_t prefix = strlen(HF_CSR_USER), kubelet = strlen(HF_CSR_KUBELET);
    enum requester who = SOMEBODY;

    if (strcmp(user, terms->account) == 0) {
        who = ACCOUNT;
        claim = only(json_object_get(json_object_get(spec, "extra"), NODE_CLAIM));
    } else if (strncmp(user, HF_CSR_USER, prefix) == 0 && holds(json_object_get(spec, "groups"), HF_CSR_GROUP)) {
        who = AGENT;
        claim = user + prefix;
    } else if (strncmp(user, HF_CSR_KUBELET, kubelet) == 0 && holds(json_object_get(spec, "groups"), HF_CSR_KUBELETS) &&
               is_named_as_ours(object)) {
        who = KUBELET;
        claim = user + kubelet;
    }
    node[0] = '\0';
    if (claim != NULL && hf_text_is_object_name(claim))
        (void)snprintf(node, 254, "%s", claim);
    return who;
}

/* ---- what it asks for -------------------------------------------------------------------------------------------- */

static bool check_usages(const json_t *spec, struct hf_csr_decision *decision)
{
    const json_t *usages = json_object_get(spec, "usages");

    if (json_array_size(usages) == 2 && holds(usages, "client auth") && holds(usages, "digital signature"))
        return true;
    deny(decision, "WrongUsages", "spec.usages: expected exactly 'client auth' and 'digital signature'");
    return false;
}

static bool check_lifetime(const json_t *spec, const struct hf_csr_terms *terms, struct hf_csr_decision *decision)
{
    int64_t seconds = hf_json_int_or(spec, "expirationSeconds", -1);

    if (seconds >= 0 && (uint64_t)seconds >= terms->min_lifetime_s && (uint64_t)seconds <= terms->max_lifetime_s)
        return true;
    if (seconds < 0)
        deny(decision, "WrongLifetime", "spec.expirationSeconds is absent: expected %ju to %ju",
             (uintmax_t)terms->min_lifetime_s, (uintmax_t)terms->max_lifetime_s);
    else
        deny(decision, "WrongLifetime", "spec.expirationSeconds %jd: expected %ju to %ju", (intmax_t)seconds,
             (uintmax_t)terms->min_lifetime_s, (uintmax_t)terms->max_lifetime_s);
    return false;
}

/* Takes the Node's uid from the name of a group. Returns false if the name has none. */
static bool take_uid(const char *group, char uid[HF_CERTIFICATE_UID])
{
    const size_t prefix = strlen(HF_CERTIFICATE_UID_GROUP);
    bool good = strncmp(group, HF_CERTIFICATE_UID_GROUP, prefix) == 0 && group[prefix] != '\0' &&
                strlen(group + prefix) < HF_CERTIFICATE_UID;

    if (good)
        memcpy(uid, group + prefix, strlen(group + prefix) + 1);
    return good;
}

static bool check_request(const json_t *spec, struct hf_csr_decision *decision)
{
    _cleanup_(hf_buf_done) struct hf_buf pem = HF_BUF_INIT(HF_CSR_MAX_BYTES);
    struct hf_err err = HF_ERR_INIT;
    struct hf_csr csr;
    char expected[300];

    if (hf_base64_decode(hf_view_of(hf_json_str_or(spec, "request", "")), &pem) < 0) {
        deny(decision, "UnreadableRequest", "spec.request is not base64 of at most %d bytes", HF_CSR_MAX_BYTES);
        return false;
    }
    if (hf_csr_parse(hf_buf_view(&pem), &csr, &err) < 0) {
        deny(decision, "UnreadableRequest", "spec.request: %s", err.cause);
        return false;
    }
    (void)snprintf(expected, sizeof(expected), HF_CSR_USER "%s", decision->node);
    if (strcmp(csr.common_name, expected) != 0 || strcmp(csr.organizations[0], HF_CSR_GROUP) != 0 ||
        !take_uid(csr.organizations[1], decision->uid))
        deny(decision, "WrongSubject",
             "the subject is not CN=%.270s, O=" HF_CSR_GROUP " and then O=" HF_CERTIFICATE_UID_GROUP
             "<uid of the Node>",
             expected);
    else if (csr.key == HF_CSR_KEY_OTHER)
        deny(decision, "WrongKey", "the key is neither ECDSA P-256 nor Ed25519");
    else
        return true;
    return false;
}

void hf_csr_decide(const json_t *object, const struct hf_csr_terms *terms, struct hf_csr_decision *ret_decision)
{
    const json_t *spec = json_object_get(object, "spec");
    struct hf_csr_decision decision = {.verdict = HF_CSR_IGNORE};
    enum requester who = find_requester(object, terms, decision.node);

    *ret_decision = decision;
    if (strcmp(hf_json_str_or(spec, "signerName", ""), HF_CSR_SIGNER) != 0 || is_decided(object) || who == SOMEBODY)
        return;
    if (decision.node[0] == '\0')
        deny(&decision, "NodeUnknown", "%s", nameless_words[who]);
    else if (check_request(spec, &decision) && check_usages(spec, &decision) &&
             check_lifetime(spec, terms, &decision)) {
        decision.verdict = HF_CSR_APPROVE;
        decision.reason = "HoldfastAgent";
        (void)snprintf(decision.message, sizeof(decision.message), "%s asks for the certificate of its own node %s",
                       requester_words[who], decision.node);
    }
    *ret_decision = decision;
}

/* Returns true if the token of the requester, where it names a Node's uid, names this one. */
static bool is_token_of(const json_t *object, const char *uid)
{
    const json_t *claims = json_object_get(hf_json_at(object, "spec.extra"), UID_CLAIM);
    const char *claim = only(claims);

    return claims == NULL || (claim != NULL && strcmp(claim, uid) == 0);
}

/* Returns true if the certificate of the requester, where it names a Node's uid, names this one. */
static bool is_certificate_of(const json_t *object, const char *uid)
{
    const json_t *groups = hf_json_at(object, "spec.groups");

    for (size_t i = 0; i < json_array_size(groups); i++) {
        const char *group = json_string_value(json_array_get(groups, i));
        if (group != NULL && strncmp(group, HF_CERTIFICATE_UID_GROUP, strlen(HF_CERTIFICATE_UID_GROUP)) == 0 &&
            strcmp(group + strlen(HF_CERTIFICATE_UID_GROUP), uid) != 0)
            return false;
    }
    return true;
}

void hf_csr_check_node(const json_t *object, const json_t *node, struct hf_csr_decision *decision)
{
    const char *asked = hf_json_str_or(object, "metadata.creationTimestamp", ""),
               *made = hf_json_str_or(node, "metadata.creationTimestamp", ""),
               *uid = hf_json_str_or(node, "metadata.uid", "");
    uint64_t asked_ns = 0, made_ns = 0;

    if (node == NULL)
        deny(decision, "NodeGone", "there is no Node %s", decision->node);
    else if (!is_token_of(object, uid) || !is_certificate_of(object, uid))
        deny(decision, "NodeReplaced",
             "the requester's credential is of an earlier Node %s: the Node now has the uid %.60s", decision->node,
             uid);
    else if (strcmp(decision->uid, uid) != 0)
        deny(decision, "WrongNodeUid", "the request is for the uid %s, and the Node %s has the uid %.60s: ask again",
             decision->uid, decision->node, uid);
    else if (hf_parse_time(asked, &asked_ns) < 0 || hf_parse_time(made, &made_ns) < 0 || asked_ns < made_ns)
        deny(decision, "RequestOlderThanNode", "the request is of %.40s, and the Node %s was made at %.40s: ask again",
             asked, decision->node, made);
}

json_t *hf_csr_approval(const json_t *object, const struct hf_csr_decision *decision, uint64_t now_unix_ns)
{
    json_t *copy = json_deep_copy(object);
    json_t *conditions = json_array();
    char now[HF_TIME_TEXT];

    (void)hf_format_time(now_unix_ns, now);
    json_t *condition =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "type", decision->verdict == HF_CSR_APPROVE ? "Approved" : "Denied",
                  "status", "True", "reason", decision->reason, "message", decision->message, "lastUpdateTime", now,
                  "lastTransitionTime", now);
    bool good =
        copy != NULL && conditions != NULL && condition != NULL && json_array_append_new(conditions, condition) == 0;
    if (!good && condition != NULL && (copy == NULL || conditions == NULL))
        json_decref(condition);
    if (good && hf_json_put(copy, "status.conditions", conditions) == 0)
        return copy;
    if (!good)
        json_decref(conditions);
    json_decref(copy);
    return NULL;
}
