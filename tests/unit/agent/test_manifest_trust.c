/* SPDX-License-Identifier: Apache-2.0 */
/* Which entries of spec.manifests are signed: by their policy, by themselves, pinned or not, in which sequence. */
#include "agent/trust/manifest_trust.h"

#include <errno.h>

#include "api/syncpolicy.h"
#include "base/encoding/base64.h"
#include "support/check_main.h"
#include "support/fakes/simfs.h"
#include "trust/key.h"
#include "trust/trust.h"

#define PIN "sha256:0123456789012345678901234567890123456789012345678901234567890123"

static struct hf_simfs *disk;
static struct hf_buf priv = HF_BUF_INIT(1000), pub = HF_BUF_INIT(1000);
static struct hf_home home;
static struct hf_agent_params params;
static struct hf_agent_env env;
static struct hf_manifest_trust trust;
static struct hf_issues issues;
static struct hf_err err;

static void set_up(void)
{
    disk = hf_simfs_new();
    hf_simfs_mkdir(disk, "/state", 0700);
    ck_assert_int_eq(hf_trust_generate(&priv, &pub, NULL), 0);
    hf_simfs_put(disk, "/trust/site.pem", pub.p, pub.n, 0644);
    home = (struct hf_home){.fs = hf_simfs_ops(disk), .dir = "/state"};
    params = (struct hf_agent_params){.home = &home, .trust_dir = "/trust"};
    env = (struct hf_agent_env){.params = &params, .world = {.fs = hf_simfs_ops(disk)}};
    hf_manifest_trust_init(&trust, &env);
}

static void tear_down(void)
{
    hf_manifest_trust_done(&trust);
    hf_simfs_free(disk);
    hf_buf_done(&priv);
    hf_buf_done(&pub);
}

/* An entry of a policy; signed unless the key text is NULL. Returns the reason, NONE for a signed entry. */
static enum hf_manifest_reason judge(bool policy_signed, unsigned sequence, const char *pin, const char *path,
                                     const char *key)
{
    _cleanup_(hf_buf_done) struct hf_buf bytes = HF_BUF_INIT(10000), base64 = HF_BUF_INIT(200);
    _cleanup_(hf_syncpolicy_freep) struct hf_syncpolicy *policy = NULL;
    _cleanup_(hf_json_freep) json_t *json = NULL;
    json_t *entry = json_pack("{s:s, s:{s:s}, s:s, s:s}", "name", "site", "from", "path", path, "to", "Files", "path",
                              "/etc/myapp/");
    unsigned char signature[HF_ED25519_SIGNATURE];
    enum hf_manifest_reason reason = HF_MANIFEST_REASON_COUNT;

    if (sequence > 0)
        (void)json_object_set_new(entry, "sequence", json_integer((int)sequence));
    if (pin != NULL)
        (void)json_object_set_new(entry, "contentDigest", json_string(pin));
    if (key != NULL) {
        ck_assert_int_eq(hf_trust_manifest_message(entry, &bytes, NULL), 0);
        ck_assert_int_eq(hf_trust_sign(key, hf_buf_view(&bytes), signature, NULL), 0);
        ck_assert_int_eq(hf_base64_encode(signature, sizeof(signature), &base64), 0);
        (void)json_object_set_new(entry, "signatures",
                                  json_pack("[{s:s, s:s}]", "keyId", "site", "signature", hf_buf_str(&base64)));
    }
    json = json_pack("{s:s, s:s, s:{s:s}, s:{s:[o]}}", "apiVersion", HF_API_GROUP_VERSION, "kind", "SyncPolicy",
                     "metadata", "name", "p", "spec", "manifests", entry);
    int r = hf_syncpolicy_decode(json, &policy, &issues);
    if (r < 0) /* the schema itself refuses the entry */
        return HF_MANIFEST_REASON_COUNT;
    bool accepted = hf_manifest_trust_accepts(&trust, policy_signed, &policy->manifests[0], &reason, &err);
    ck_assert(accepted == (reason == HF_MANIFEST_REASON_NONE));
    ck_assert(accepted || err.cause[0] != '\0');
    return reason;
}

START_TEST(verdicts)
{
    _cleanup_(hf_buf_done) struct hf_buf other = HF_BUF_INIT(1000), public = HF_BUF_INIT(1000);
    const char *key = hf_buf_str(&priv);

    ck_assert_int_eq(hf_trust_generate(&other, &public, NULL), 0);
    ck_assert_int_eq(judge(false, 0, NULL, "/media/a", NULL), HF_MANIFEST_REASON_UNSIGNED);
    ck_assert_int_eq(judge(false, 0, PIN, "/media/a", NULL), HF_MANIFEST_REASON_UNSIGNED);
    ck_assert_int_eq(judge(true, 0, NULL, "/media/a", NULL), HF_MANIFEST_REASON_CONTENT_NOT_PINNED);
    ck_assert_int_eq(judge(true, 0, PIN, "/media/a", NULL), HF_MANIFEST_REASON_NONE);
    ck_assert_int_eq(judge(false, 1, PIN, "/media/a", key), HF_MANIFEST_REASON_NONE);
    ck_assert_int_eq(judge(false, 2, PIN, "/media/a", hf_buf_str(&other)), HF_MANIFEST_REASON_SIGNATURE_INVALID);
    ck_assert_int_ne(judge(false, 2, NULL, "/media/a", key), HF_MANIFEST_REASON_NONE);
    ck_assert_int_ne(judge(false, 0, PIN, "/media/a", key), HF_MANIFEST_REASON_NONE);
}
END_TEST

/* An old entry does not come back, another entry with the same sequence neither, not even after a restart. */
START_TEST(replay)
{
    const char *key = hf_buf_str(&priv);

    ck_assert_int_eq(judge(false, 5, PIN, "/media/a", key), HF_MANIFEST_REASON_NONE);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(judge(false, 4, PIN, "/media/a", key), HF_MANIFEST_REASON_SEQUENCE_TOO_LOW);
        ck_assert_int_eq(judge(false, 5, PIN, "/media/b", key), HF_MANIFEST_REASON_SEQUENCE_TOO_LOW);
        ck_assert_int_eq(judge(false, 5, PIN, "/media/a", key), HF_MANIFEST_REASON_NONE);
        hf_manifest_trust_done(&trust);
        hf_manifest_trust_init(&trust, &env);
    }
    ck_assert_int_eq(judge(false, 6, PIN, "/media/b", key), HF_MANIFEST_REASON_NONE);
}
END_TEST

/* The policy that signs for the entry, and the signatures of the entry itself, share one floor. Restarts keep it. */
START_TEST(replay_across_the_ways_of_signing)
{
    const char *key = hf_buf_str(&priv);

    ck_assert_int_eq(judge(false, 5, PIN, "/media/a", key), HF_MANIFEST_REASON_NONE);
    ck_assert_int_eq(judge(true, 5, PIN, "/media/a", NULL), HF_MANIFEST_REASON_NONE); /* the same, in a signed policy */
    ck_assert_int_eq(judge(true, 6, PIN, "/media/b", NULL), HF_MANIFEST_REASON_NONE);
    for (int i = 0; i < 2; i++) { /* after the signed policy is deleted, the old entry comes with its own signatures */
        ck_assert_int_eq(judge(false, 5, PIN, "/media/a", key), HF_MANIFEST_REASON_SEQUENCE_TOO_LOW);
        ck_assert_int_eq(judge(false, 6, PIN, "/media/a", key), HF_MANIFEST_REASON_SEQUENCE_TOO_LOW);
        ck_assert_int_eq(judge(false, 6, PIN, "/media/b", key), HF_MANIFEST_REASON_NONE);
        hf_manifest_trust_done(&trust);
        hf_manifest_trust_init(&trust, &env);
    }
    ck_assert_int_eq(judge(false, 7, PIN, "/media/c", key), HF_MANIFEST_REASON_NONE);
    for (int i = 0; i < 2; i++) { /* the retired signed policy comes again */
        ck_assert_int_eq(judge(true, 6, PIN, "/media/b", NULL), HF_MANIFEST_REASON_SEQUENCE_TOO_LOW);
        ck_assert_int_eq(judge(true, 7, PIN, "/media/b", NULL), HF_MANIFEST_REASON_SEQUENCE_TOO_LOW);
        ck_assert_int_eq(judge(true, 7, PIN, "/media/c", NULL), HF_MANIFEST_REASON_NONE);
        hf_manifest_trust_done(&trust);
        hf_manifest_trust_init(&trust, &env);
    }
}
END_TEST

/* In a signed policy, an entry without a sequence has no floor, and an entry without a pinned content raises none. */
START_TEST(no_floor_without_sequence_or_pin)
{
    const char *key = hf_buf_str(&priv);

    ck_assert_int_eq(judge(false, 5, PIN, "/media/a", key), HF_MANIFEST_REASON_NONE);
    ck_assert_int_eq(judge(true, 0, PIN, "/media/b", NULL), HF_MANIFEST_REASON_NONE);
    ck_assert_int_eq(judge(true, 9, NULL, "/media/b", NULL), HF_MANIFEST_REASON_CONTENT_NOT_PINNED);
    ck_assert_int_eq(judge(false, 9, PIN, "/media/b", NULL), HF_MANIFEST_REASON_UNSIGNED);
    ck_assert_int_eq(judge(false, 5, PIN, "/media/a", key), HF_MANIFEST_REASON_NONE);
}
END_TEST

/* What was verified once is not verified again, until the entry, its signatures or the trust folder change. */
START_TEST(verifies_once)
{
    const char *key = hf_buf_str(&priv);
    _cleanup_(hf_buf_done) struct hf_buf other = HF_BUF_INIT(1000), public = HF_BUF_INIT(1000);

    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(judge(false, 1, PIN, "/media/a", key), HF_MANIFEST_REASON_NONE);
    ck_assert_uint_eq(trust.n_verified, 1);
    ck_assert_int_eq(judge(false, 2, PIN, "/media/b", key), HF_MANIFEST_REASON_NONE);
    ck_assert_uint_eq(trust.n_verified, 2);

    ck_assert_int_eq(hf_trust_generate(&other, &public, NULL), 0);
    hf_simfs_put(disk, "/trust/site.pem", public.p, public.n, 0644);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(judge(false, 2, PIN, "/media/b", key), HF_MANIFEST_REASON_SIGNATURE_INVALID);
    hf_simfs_put(disk, "/trust/site.pem", pub.p, pub.n, 0644);
    ck_assert_int_eq(judge(false, 2, PIN, "/media/b", key), HF_MANIFEST_REASON_NONE);
    ck_assert_uint_eq(trust.n_verified, 2); /* this very folder is known */
    hf_simfs_chmod(disk, "/trust/site.pem", 0666);
    ck_assert_int_eq(judge(false, 2, PIN, "/media/b", key), HF_MANIFEST_REASON_SIGNATURE_INVALID);
    hf_simfs_chmod(disk, "/trust/site.pem", 0644);
    hf_simfs_put(disk, "/trust/threshold", "2\n", 2, 0644);
    ck_assert_int_eq(judge(false, 2, PIN, "/media/b", key), HF_MANIFEST_REASON_SIGNATURE_INVALID);
    hf_simfs_delete(disk, "/trust/threshold");
    ck_assert_int_eq(judge(false, 2, PIN, "/media/b", hf_buf_str(&other)), HF_MANIFEST_REASON_SIGNATURE_INVALID);
    hf_simfs_delete(disk, "/trust/site.pem");
    ck_assert_int_eq(judge(false, 2, PIN, "/media/b", key), HF_MANIFEST_REASON_SIGNATURE_INVALID);
}
END_TEST

/* More verified entries than the node remembers: the oldest ones are forgotten. */
START_TEST(remembers_some)
{
    const char *key = hf_buf_str(&priv);
    unsigned n = HF_MAX_MANIFESTS + 10;

    for (unsigned i = 1; i <= n; i++)
        ck_assert_int_eq(judge(false, i, PIN, "/media/a", key), HF_MANIFEST_REASON_NONE);
    ck_assert_int_eq(judge(false, n, PIN, "/media/a", key), HF_MANIFEST_REASON_NONE);
    ck_assert_uint_eq(trust.n_verified, n);
}
END_TEST

/* The bytes that a policy's signature covers are never those of an entry's. */
START_TEST(domains_differ)
{
    _cleanup_(hf_buf_done) struct hf_buf a = HF_BUF_INIT(1000), b = HF_BUF_INIT(1000);
    _cleanup_(hf_json_freep) json_t *json = json_pack("{s:s, s:{}}", "name", "x", "spec");

    ck_assert_int_eq(hf_trust_manifest_message(json, &a, NULL), 0);
    ck_assert_int_eq(hf_trust_policy_message(json, &b, NULL), 0);
    ck_assert(hf_view_starts(hf_buf_view(&a),
                             "holdfast SyncPolicyManifest signature 1\n{\"apiVersion\":\"edge.codcompass.io"));
    ck_assert(hf_view_starts(hf_buf_view(&b), "holdfast SyncPolicy signature 1\n"));
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, verdicts);
    tcase_add_test(tc, replay);
    tcase_add_test(tc, replay_across_the_ways_of_signing);
    tcase_add_test(tc, no_floor_without_sequence_or_pin);
    tcase_add_test(tc, verifies_once);
    tcase_add_test(tc, remembers_some);
    tcase_add_test(tc, domains_differ);
}
HF_TEST_MAIN("agent/manifest_trust", cases)
