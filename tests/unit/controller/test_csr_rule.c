/* SPDX-License-Identifier: Apache-2.0 */
/* Each row: a good request of an agent with one thing changed, and the verdict. */
#include "controller/csr/rule.h"

#include <errno.h>

#include "base/encoding/base64.h"
#include "os/file.h"
#include "os/fs_posix.h"
#include "support/check_main.h"

#define ACCOUNT "system:serviceaccount:holdfast-system:holdfast-agent"

static const struct {
    const char *path, *value; /* the changed field, and its JSON; value NULL: the field is removed */
    const char *file;         /* request; NULL: p256.pem */
    enum hf_csr_verdict verdict;
    const char *reason, *message; /* message: part of it */
} rows[] = {
    {NULL, NULL, NULL, HF_CSR_APPROVE, "HoldfastAgent", "own node n1"},
    {NULL, NULL, "ed.pem", HF_CSR_APPROVE, "HoldfastAgent", "own node n1"},
    {NULL, NULL, "p384.pem", HF_CSR_DENY, "WrongKey", "neither ECDSA P-256 nor Ed25519"},
    {NULL, NULL, "rsa.pem", HF_CSR_DENY, "WrongKey", "neither"},
    {NULL, NULL, "cn.pem", HF_CSR_DENY, "WrongSubject",
     "CN=holdfast:agent:n1, O=holdfast:agents and then O=holdfast:node-uid:"},
    {NULL, NULL, "name-only.pem", HF_CSR_DENY, "WrongSubject", "O=holdfast:node-uid:<uid of the Node>"},
    {NULL, NULL, "no-uid.pem", HF_CSR_DENY, "WrongSubject", "<uid of the Node>"},
    {NULL, NULL, "long-uid.pem", HF_CSR_DENY, "WrongSubject", "<uid of the Node>"},
    {NULL, NULL, "two-uids.pem", HF_CSR_DENY, "WrongSubject", "<uid of the Node>"},
    {NULL, NULL, "uid-first.pem", HF_CSR_DENY, "WrongSubject", "<uid of the Node>"},
    {NULL, NULL, "masters.pem", HF_CSR_DENY, "WrongSubject", "<uid of the Node>"},
    {NULL, NULL, "masters-first.pem", HF_CSR_DENY, "WrongSubject", "<uid of the Node>"},
    {NULL, NULL, "multi-rdn.pem", HF_CSR_DENY, "WrongSubject", "<uid of the Node>"},
    {NULL, NULL, "three-o.pem", HF_CSR_DENY, "UnreadableRequest", "more than one CN and two O"},
    {NULL, NULL, "user-uid.pem", HF_CSR_DENY, "UnreadableRequest", "more than one CN and two O"},
    {NULL, NULL, "two-o.pem", HF_CSR_DENY, "WrongSubject", "<uid of the Node>"},
    {NULL, NULL, "san.pem", HF_CSR_DENY, "UnreadableRequest", "extensions"},
    {"spec.request", "\"!\"", NULL, HF_CSR_DENY, "UnreadableRequest", "not base64"},
    {"spec.request", NULL, NULL, HF_CSR_DENY, "UnreadableRequest", "is not PEM"},
    {"spec.request", "17", NULL, HF_CSR_DENY, "UnreadableRequest", "is not PEM"},
    /* others */
    {"spec.signerName", "\"kubernetes.io/kubelet-serving\"", NULL, HF_CSR_IGNORE, NULL, ""},
    {"spec.username", "\"kubernetes-admin\"", NULL, HF_CSR_IGNORE, NULL, ""},
    {"spec.username", "\"system:serviceaccount:other:holdfast-agent\"", NULL, HF_CSR_IGNORE, NULL, ""},
    {"spec.username", NULL, NULL, HF_CSR_IGNORE, NULL, ""},
    {"status.conditions", "[{\"type\": \"Denied\"}]", NULL, HF_CSR_IGNORE, NULL, ""},
    {"status.conditions", "[{\"type\": \"Approved\"}]", NULL, HF_CSR_IGNORE, NULL, ""},
    {"status.certificate", "\"LS0t\"", NULL, HF_CSR_IGNORE, NULL, ""},
    /* another node */
    {"spec.extra", "{\"authentication.kubernetes.io/node-name\": [\"n2\"]}", NULL, HF_CSR_DENY, "WrongSubject",
     "CN=holdfast:agent:n2"},
    {"spec.extra", "{\"authentication.kubernetes.io/node-name\": [\"n2\", \"n1\"]}", NULL, HF_CSR_DENY, "NodeUnknown",
     "token names no node"},
    {"spec.extra", "{\"authentication.kubernetes.io/node-name\": \"n1\"}", NULL, HF_CSR_DENY, "NodeUnknown", "no node"},
    {"spec.extra", "{\"authentication.kubernetes.io/node-name\": [\"N1\"]}", NULL, HF_CSR_DENY, "NodeUnknown",
     "no node"},
    {"spec.extra", NULL, NULL, HF_CSR_DENY, "NodeUnknown", "token names no node"},
    {"spec.username", "\"holdfast:agent:n1\"", NULL, HF_CSR_APPROVE, "HoldfastAgent", "the agent asks"},
    {"spec.username", "\"holdfast:agent:n2\"", NULL, HF_CSR_DENY, "WrongSubject", "CN=holdfast:agent:n2"},
    {"spec.username", "\"holdfast:agent:\"", NULL, HF_CSR_DENY, "NodeUnknown", "certificate names no node"},
    {"spec.username", "\"holdfast:agent:gone\"", NULL, HF_CSR_DENY, "WrongSubject", "holdfast:agent:gone"},
    /* usages */
    {"spec.usages", "[\"client auth\"]", NULL, HF_CSR_DENY, "WrongUsages", "exactly"},
    {"spec.usages", "[\"client auth\", \"client auth\"]", NULL, HF_CSR_DENY, "WrongUsages", "exactly"},
    {"spec.usages", "[\"digital signature\", \"client auth\"]", NULL, HF_CSR_APPROVE, "HoldfastAgent", ""},
    {"spec.usages", "[\"digital signature\", \"client auth\", \"server auth\"]", NULL, HF_CSR_DENY, "WrongUsages", ""},
    {"spec.usages", NULL, NULL, HF_CSR_DENY, "WrongUsages", "exactly"},
    /* lifetime */
    {"spec.expirationSeconds", "600", NULL, HF_CSR_APPROVE, "HoldfastAgent", ""},
    {"spec.expirationSeconds", "599", NULL, HF_CSR_DENY, "WrongLifetime", "599: expected 600 to 2592000"},
    {"spec.expirationSeconds", "2592000", NULL, HF_CSR_APPROVE, "HoldfastAgent", ""},
    {"spec.expirationSeconds", "2592001", NULL, HF_CSR_DENY, "WrongLifetime", "2592001"},
    {"spec.expirationSeconds", "-1", NULL, HF_CSR_DENY, "WrongLifetime", "absent"},
    {"spec.expirationSeconds", NULL, NULL, HF_CSR_DENY, "WrongLifetime", "absent"},
};

static json_t *good(const char *file)
{
    _cleanup_(hf_buf_done) struct hf_buf pem = HF_BUF_INIT(16384), base64 = HF_BUF_INIT(32768);
    char path[200];

    (void)snprintf(path, sizeof(path), "tests/fuzz/corpus/fuzz_csr/%s", file != NULL ? file : "p256.pem");
    ck_assert_int_eq(hf_file_read(hf_fs_posix(), path, &pem, NULL), 0);
    ck_assert_int_eq(hf_base64_encode(pem.p, pem.n, &base64), 0);
    return json_pack("{s:{s:s}, s:{s:s, s:s, s:s, s:[s, s], s:{s:[s], s:[s]}, s:[s, s], s:i}, s:{}}", "metadata",
                     "name", "c1", "spec", "request", hf_buf_str(&base64), "signerName", HF_CSR_SIGNER, "username",
                     ACCOUNT, "groups", "system:authenticated", HF_CSR_GROUP, "extra",
                     "authentication.kubernetes.io/node-name", "n1", "authentication.kubernetes.io/pod-name",
                     "holdfast-agent-x", "usages", "client auth", "digital signature", "expirationSeconds", 86400,
                     "status");
}

static struct hf_csr_terms terms = {
    .account = ACCOUNT, .min_lifetime_s = HF_CSR_MIN_LIFETIME_S, .max_lifetime_s = HF_CSR_MAX_LIFETIME_S};

static void change(json_t *object, const char *path, const char *value)
{
    const char *dot = strchr(path, '.');
    char parent[16];

    (void)snprintf(parent, sizeof(parent), "%.*s", (int)(dot - path), path);
    if (value == NULL)
        ck_assert_int_eq(json_object_del(json_object_get(object, parent), dot + 1), 0);
    else
        ck_assert_int_eq(hf_json_put(object, path, json_loads(value, JSON_DECODE_ANY, NULL)), 0);
}

START_TEST(row)
{
    json_t *object = good(rows[_i].file);
    struct hf_csr_decision decision;

    if (rows[_i].path != NULL)
        change(object, rows[_i].path, rows[_i].value);
    hf_csr_decide(object, &terms, &decision);
    ck_assert_msg(decision.verdict == rows[_i].verdict, "row %d: %d %s", _i, decision.verdict, decision.message);
    if (rows[_i].reason != NULL)
        ck_assert_str_eq(decision.reason, rows[_i].reason);
    ck_assert_msg(strstr(decision.message, rows[_i].message) != NULL, "row %d: '%s'", _i, decision.message);
    json_decref(object);
}
END_TEST

/* With the identity of a kubelet: each row changes one thing of a good request of n1's kubelet. */
static const struct {
    const char *user, *group, *name, *file;
    enum hf_csr_verdict verdict;
    const char *message;
} kubelets[] = {
    {"system:node:n1", "system:nodes", "holdfast-agent-n1-a", NULL, HF_CSR_APPROVE, "the node's kubelet asks"},
    {"system:node:n2", "system:nodes", "holdfast-agent-n1-a", NULL, HF_CSR_DENY, "CN=holdfast:agent:n2"},
    {"system:node:n2", "system:nodes", "holdfast-agent-n2-a", NULL, HF_CSR_DENY, "CN=holdfast:agent:n2"},
    {"system:node:", "system:nodes", "holdfast-agent-n1-a", NULL, HF_CSR_DENY, "names no node"},
    {"system:node:N1", "system:nodes", "holdfast-agent-n1-a", NULL, HF_CSR_DENY, "names no node"},
    {"system:node:n1/n2", "system:nodes", "holdfast-agent-n1-a", NULL, HF_CSR_DENY, "names no node"},
    {"system:node:n1", "system:nodes", "holdfast-agent-n1-a", "masters.pem", HF_CSR_DENY, "the subject is not"},
    {"system:node:n1", "system:nodes", "holdfast-agent-n1-a", "cn.pem", HF_CSR_DENY, "the subject is not"},
    {"system:node:n1", "system:nodes", "holdfast-agent-n1-a", "no-uid.pem", HF_CSR_DENY, "the subject is not"},
    {"system:node:n1", "system:nodes", "holdfast-agent-n1-a", "san.pem", HF_CSR_DENY, "extensions"},
    {"system:node:n1", "system:nodes", "holdfast-agent-n1-a", "rsa.pem", HF_CSR_DENY, "neither"},
    /* without the group the name is no kubelet's; other names are other programs' requests */
    {"system:node:n1", "system:authenticated", "holdfast-agent-n1-a", NULL, HF_CSR_IGNORE, ""},
    {"system:nodes:n1", "system:nodes", "holdfast-agent-n1-a", NULL, HF_CSR_IGNORE, ""},
    {"system:node:n1", "system:nodes", "csr-n1", NULL, HF_CSR_IGNORE, ""},
    {"system:node:n1", "system:nodes", "holdfast-agen", NULL, HF_CSR_IGNORE, ""},
};

START_TEST(kubelet)
{
    json_t *object = good(kubelets[_i].file);
    struct hf_csr_decision decision;

    ck_assert_int_eq(hf_json_put(object, "spec.username", json_string(kubelets[_i].user)), 0);
    ck_assert_int_eq(hf_json_put(object, "spec.groups", json_pack("[s]", kubelets[_i].group)), 0);
    ck_assert_int_eq(hf_json_put(object, "metadata.name", json_string(kubelets[_i].name)), 0);
    change(object, "spec.extra", NULL);
    hf_csr_decide(object, &terms, &decision);
    ck_assert_msg(decision.verdict == kubelets[_i].verdict, "row %d: %d %s", _i, decision.verdict, decision.message);
    ck_assert_msg(strstr(decision.message, kubelets[_i].message) != NULL, "row %d: '%s'", _i, decision.message);
    json_decref(object);
}
END_TEST

START_TEST(certificate_of_no_group)
{
    json_t *object = good(NULL);
    struct hf_csr_decision decision;

    change(object, "spec.username", "\"holdfast:agent:n1\"");
    change(object, "spec.groups", "[\"system:authenticated\"]");
    hf_csr_decide(object, &terms, &decision);
    ck_assert_int_eq(decision.verdict, HF_CSR_IGNORE);
    json_decref(object);
}
END_TEST

START_TEST(approval)
{
    json_t *object = good(NULL);
    struct hf_csr_decision decision;

    hf_csr_decide(object, &terms, &decision);
    json_t *copy = hf_csr_approval(object, &decision, 0);
    const json_t *condition = json_array_get(hf_json_at(copy, "status.conditions"), 0);
    ck_assert_str_eq(hf_json_str_or(condition, "type", ""), "Approved");
    ck_assert_str_eq(hf_json_str_or(condition, "status", ""), "True");
    ck_assert_str_eq(hf_json_str_or(condition, "lastUpdateTime", ""), "1970-01-01T00:00:00Z");
    ck_assert_str_eq(hf_json_str_or(copy, "metadata.name", ""), "c1");
    ck_assert_ptr_null(hf_json_at(object, "status.conditions"));
    json_decref(copy);
    json_decref(object);
}
END_TEST

/* A stolen node's Node was deleted, and the name came back: nothing that was asked or given before counts for the new one. */
static const struct {
    const char *asked, *claims, *groups, *node; /* creationTimestamp; extra; groups; the Node's metadata, NULL: gone */
    const char *reason;                         /* NULL: approved */
} nodes[] = {
#define ME "7d1f4c1e-2a58-4b6e-9f0a-0c5d3c1b9a11" /* the uid in p256.pem */
#define UID(u) "{\"authentication.kubernetes.io/node-name\":[\"n1\"],\"authentication.kubernetes.io/node-uid\":" u "}"
#define BARE "{\"authentication.kubernetes.io/node-name\":[\"n1\"]}"
#define GROUPS(more) "[\"holdfast:agents\"" more ",\"system:authenticated\"]"
#define IN(u) GROUPS(",\"holdfast:node-uid:" u "\"")
#define NODE_OF(t) "{\"uid\":\"" ME "\",\"creationTimestamp\":\"" t "\"}"
#define OTHER "{\"uid\":\"u2\",\"creationTimestamp\":\"2026-01-01T00:00:00Z\"}"
    {"2026-01-02T00:00:00Z", UID("[\"" ME "\"]"), GROUPS(""), NODE_OF("2026-01-01T00:00:00Z"), NULL},
    {"2026-01-02T00:00:00Z", BARE, GROUPS(""), NODE_OF("2026-01-02T00:00:00Z"), NULL},
    {"2026-01-02T00:00:00Z", UID("[\"" ME "\"]"), GROUPS(""), NODE_OF("2026-01-02T00:00:01Z"), "RequestOlderThanNode"},
    {"2025-12-31T23:59:59Z", BARE, GROUPS(""), NODE_OF("2026-01-01T00:00:00Z"), "RequestOlderThanNode"},
    {"2026-01-02T00:00:00Z", UID("[\"u1\"]"), GROUPS(""), NODE_OF("2026-01-01T00:00:00Z"), "NodeReplaced"},
    {"2026-01-02T00:00:00Z", UID("[\"" ME "\",\"u1\"]"), GROUPS(""), NODE_OF("2026-01-01T00:00:00Z"), "NodeReplaced"},
    {"2026-01-02T00:00:00Z", UID("\"" ME "\""), GROUPS(""), NODE_OF("2026-01-01T00:00:00Z"), "NodeReplaced"},
    {"2026-01-02T00:00:00Z", UID("[]"), GROUPS(""), NODE_OF("2026-01-01T00:00:00Z"), "NodeReplaced"},
    {"", BARE, GROUPS(""), NODE_OF("2026-01-01T00:00:00Z"), "RequestOlderThanNode"},
    {"2026-01-02T00:00:00Z", BARE, GROUPS(""), "{\"uid\":\"" ME "\"}", "RequestOlderThanNode"},
    /* a certificate asks: of this Node, of none (from before there was the group), of another one */
    {"2026-01-02T00:00:00Z", BARE, IN(ME), NODE_OF("2026-01-01T00:00:00Z"), NULL},
    {"2026-01-02T00:00:00Z", BARE, IN("u1"), NODE_OF("2026-01-01T00:00:00Z"), "NodeReplaced"},
    {"2026-01-02T00:00:00Z", BARE, IN(""), NODE_OF("2026-01-01T00:00:00Z"), "NodeReplaced"},
    {"2026-01-02T00:00:00Z", BARE, IN(ME "\",\"holdfast:node-uid:u1"), NODE_OF("2026-01-01T00:00:00Z"), "NodeReplaced"},
    /* the request is for the Node that was deleted, or for one that never was */
    {"2026-01-02T00:00:00Z", BARE, IN(ME), OTHER, "NodeReplaced"},
    {"2026-01-02T00:00:00Z", BARE, GROUPS(""), OTHER, "WrongNodeUid"},
    {"2026-01-02T00:00:00Z", UID("[\"u2\"]"), GROUPS(""), OTHER, "WrongNodeUid"},
    {"2026-01-02T00:00:00Z", BARE, GROUPS(""), "{\"creationTimestamp\":\"2026-01-01T00:00:00Z\"}", "WrongNodeUid"},
    {"2026-01-02T00:00:00Z", UID("[\"" ME "\"]"), IN(ME), NULL, "NodeGone"},
};

START_TEST(the_node_as_it_is_now)
{
    json_t *object = good(NULL), *node = NULL;
    struct hf_csr_decision decision;

    ck_assert_int_eq(hf_json_put(object, "metadata.creationTimestamp", json_string(nodes[_i].asked)), 0);
    change(object, "spec.extra", nodes[_i].claims);
    change(object, "spec.groups", nodes[_i].groups);
    if (nodes[_i].node != NULL)
        node = json_pack("{s:o}", "metadata", json_loads(nodes[_i].node, 0, NULL));
    hf_csr_decide(object, &terms, &decision);
    ck_assert_int_eq(decision.verdict, HF_CSR_APPROVE);
    hf_csr_check_node(object, node, &decision);
    ck_assert_int_eq(decision.verdict, nodes[_i].reason == NULL ? HF_CSR_APPROVE : HF_CSR_DENY);
    ck_assert_str_eq(decision.reason, nodes[_i].reason == NULL ? "HoldfastAgent" : nodes[_i].reason);
    json_decref(node);
    json_decref(object);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, the_node_as_it_is_now, 0, HF_LEN(nodes));
    tcase_add_loop_test(tc, row, 0, HF_LEN(rows));
    tcase_add_test(tc, certificate_of_no_group);
    tcase_add_loop_test(tc, kubelet, 0, HF_LEN(kubelets));
    tcase_add_test(tc, approval);
}

HF_TEST_MAIN("controller/csr_rule", cases)
