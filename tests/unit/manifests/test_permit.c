/* SPDX-License-Identifier: Apache-2.0 */
/* What the node lets an entry do, and which set the entry is. */
#include <errno.h>
#include <string.h>

#include "manifests/content/permit.h"
#include "support/bare_entry.h"
#include "support/check_main.h"

#define HEAD "apiVersion: edge.codcompass.io/v1alpha1\nkind: AgentConfiguration\n"
#define TO_FILES "\"name\":\"site\",\"to\":\"Files\",\"path\":\"/etc/site\",\"from\":{\"path\":\"/opt/site\"}"

static enum hf_manifest_reason ask(const char *entry, const char *config, bool is_signed, bool pod_mode)
{
    struct hf_bare bare;
    struct hf_config *parsed = NULL;
    struct hf_err err = HF_ERR_INIT;

    ck_assert_int_eq(hf_config_parse((struct hf_view){config, strlen(config)}, "agent.yaml", &parsed, NULL), 0);
    ck_assert_uint_eq(hf_config_n_faults(parsed), 0);
    hf_bare_init(&bare, entry);
    bare.engine.p.env.config = parsed;
    bare.engine.p.env.pod_mode = pod_mode;
    bare.entry->permit.is_signed = is_signed;
    enum hf_manifest_reason reason = permit_ask(bare.entry, &err);
    ck_assert_int_eq(err.code != 0, reason != HF_MANIFEST_REASON_NONE);
    hf_bare_done(&bare);
    hf_config_free(parsed);
    return reason;
}

START_TEST(asked)
{
    static const char empty[] = HEAD, exec[] = "{" TO_FILES ",\"validate\":{\"command\":[\"/usr/bin/check\"]}}",
                      allowed[] = HEAD "manifests: {files: [/etc/site], exec: [/usr/bin/check]}\n",
                      cluster[] = "{\"name\":\"site\",\"to\":\"Cluster\",\"from\":{\"path\":\"/opt/site\"}}";

    ck_assert_int_eq(ask("{" TO_FILES "}", empty, false, false), HF_MANIFEST_REASON_NONE); /* paths are asked later */
    ck_assert_int_eq(ask(exec, empty, true, false), HF_MANIFEST_REASON_NOT_ALLOWED);
    ck_assert_int_eq(ask(exec, allowed, false, false), HF_MANIFEST_REASON_NONE);
    ck_assert_int_eq(ask(exec, allowed, false, true), HF_MANIFEST_REASON_UNSUPPORTED); /* no programs of the host */
    ck_assert_int_eq(ask("{" TO_FILES ",\"restart\":{\"systemdUnit\":\"x.service\"}}", empty, true, false),
                     HF_MANIFEST_REASON_NOT_ALLOWED);
    ck_assert_int_eq(ask(cluster, empty, true, false), HF_MANIFEST_REASON_NOT_ALLOWED);
}
END_TEST

/* Objects in the cluster are another thing than files: the name cannot go from one to the other. */
START_TEST(target_stays)
{
    struct hf_bare bare;

    hf_bare_init(&bare, "{" TO_FILES "}");
    struct entry *entry = bare.entry;
    entry->r.good.entry = json_pack("{s:s}", "to", "Cluster");
    ck_assert_int_eq(permit_ask(entry, NULL), HF_MANIFEST_REASON_NONE); /* it has never been in place */
    (void)snprintf(entry->r.good.key, sizeof(entry->r.good.key), "k");
    ck_assert_int_eq(permit_ask(entry, NULL), HF_MANIFEST_REASON_UNSUPPORTED);
    hf_bare_done(&bare);
}
END_TEST

START_TEST(candidate)
{
    struct hf_bare bare;
    struct hf_manifest_set set = {.entry = NULL}, again = {.entry = NULL};

    hf_bare_init(&bare, "{" TO_FILES "}");
    struct entry *entry = bare.entry;
    (void)snprintf(entry->content.wanted_from, sizeof(entry->content.wanted_from), "from");
    ck_assert_int_eq(permit_candidate(entry, &set, NULL), -ENOENT);
    (void)snprintf(entry->r.known_digest, sizeof(entry->r.known_digest), "d1");
    ck_assert_int_eq(permit_candidate(entry, &set, NULL), -ENOENT); /* it came from another source */
    (void)snprintf(entry->r.known_from, sizeof(entry->r.known_from), "from");
    ck_assert_int_eq(permit_candidate(entry, &set, NULL), 0);
    ck_assert_ptr_null(set.facts);
    ck_assert_int_eq(permit_candidate(entry, &again, NULL), 0);
    ck_assert_str_eq(set.key, again.key);
    hf_manifest_set_done(&again);
    (void)snprintf(entry->r.known_digest, sizeof(entry->r.known_digest), "d2");
    ck_assert_int_eq(permit_candidate(entry, &again, NULL), 0);
    ck_assert_str_ne(set.key, again.key);
    hf_manifest_set_done(&again);
    hf_manifest_set_done(&set);
    hf_bare_done(&bare);
}
END_TEST

/* A label that the content does not use makes no new set. */
START_TEST(facts)
{
    struct hf_bare bare;
    struct hf_manifest_set set = {.entry = NULL}, again = {.entry = NULL};
    json_t *labels = json_pack("{s:s, s:s}", "zone", "a", "rack", "1");

    hf_bare_init(&bare, "{" TO_FILES ",\"substitute\":{\"A\":\"b\"}}");
    struct entry *entry = bare.entry;
    bare.engine.p.env.labels = labels;
    memcpy(entry->r.known_from, entry->content.wanted_from, sizeof(entry->r.known_from));
    (void)snprintf(entry->r.known_digest, sizeof(entry->r.known_digest), "d1");
    ck_assert_int_eq(permit_candidate(entry, &set, NULL), 0);
    ck_assert_uint_eq(json_object_size(json_object_get(set.facts, "labels")), 2); /* nobody knows what it uses */
    hf_manifest_set_done(&set);
    entry->r.known_names = json_array();
    ck_assert_int_eq(permit_candidate(entry, &set, NULL), 0);
    json_object_set_new(labels, "zone", json_string("b"));
    ck_assert_int_eq(permit_candidate(entry, &again, NULL), 0);
    ck_assert_str_eq(set.key, again.key);
    hf_manifest_set_done(&again);
    hf_manifest_set_done(&set);
    hf_bare_done(&bare);
    json_decref(labels);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, asked);
    tcase_add_test(tc, target_stays);
    tcase_add_test(tc, candidate);
    tcase_add_test(tc, facts);
}

HF_TEST_MAIN("manifests/permit", cases)
