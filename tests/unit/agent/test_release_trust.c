/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/trust/release_trust.h"

#include "base/encoding/base64.h"
#include "support/check_main.h"
#include "support/fakes/simfs.h"
#include "trust/key.h"
#include "trust/trust.h"

#define HASH "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static struct hf_simfs *disk;
static struct hf_buf priv = HF_BUF_INIT(1000), pub = HF_BUF_INIT(1000);
static struct hf_home home;
static struct hf_agent_params params;
static struct hf_agent_env env;
static struct hf_release_trust trust;
static struct hf_issues issues;

static void set_up(void)
{
    disk = hf_simfs_new();
    ck_assert_int_eq(hf_trust_generate(&priv, &pub, NULL), 0);
    hf_simfs_put(disk, "/trust/site.pem", pub.p, pub.n, 0644);
    home = (struct hf_home){.fs = hf_simfs_ops(disk), .dir = "/state"};
    params = (struct hf_agent_params){.home = &home, .trust_dir = "/trust"};
    env = (struct hf_agent_env){.params = &params, .world = {.fs = hf_simfs_ops(disk)}};
    hf_release_trust_init(&trust, &env);
}

static void tear_down(void)
{
    hf_release_trust_done(&trust);
    hf_simfs_free(disk);
    hf_buf_done(&priv);
    hf_buf_done(&pub);
}

/* An EdgeUpdate with this name, for one release whatever the name; signed if `with_signature`. */
static struct hf_edgeupdate *update_of(const char *name, bool with_signature)
{
    _cleanup_(hf_buf_done) struct hf_buf bytes = HF_BUF_INIT(10000), base64 = HF_BUF_INIT(200);
    _cleanup_(hf_json_freep) json_t *json =
        json_pack("{s:s, s:s, s:{s:s}, s:{s:{s:s, s:s, s:i, s:[{s:s, s:s, s:s, s:i}], s:{s:s}}}}", "apiVersion",
                  HF_API_GROUP_VERSION, "kind", "EdgeUpdate", "metadata", "name", name, "spec", "release", "name",
                  "app", "version", "1.0.0", "sequence", 1, "artifacts", "arch", "amd64", "url",
                  "https://releases.example.com/a", "sha256", HASH, "size", 10, "install", "path", "/opt/a");
    unsigned char signature[HF_ED25519_SIGNATURE];
    struct hf_edgeupdate *update = NULL;

    ck_assert_int_eq(hf_json_canonical(hf_json_at(json, "spec.release"), &bytes, NULL), 0);
    ck_assert_int_eq(hf_trust_sign(hf_buf_str(&priv), hf_buf_view(&bytes), signature, NULL), 0);
    if (!with_signature)
        signature[0] ^= 1;
    ck_assert_int_eq(hf_base64_encode(signature, sizeof(signature), &base64), 0);
    ck_assert_int_eq(hf_json_put(json, "spec.signatures",
                                 json_pack("[{s:s, s:s}]", "keyId", "site", "signature", hf_buf_str(&base64))),
                     0);
    ck_assert_int_eq(hf_edgeupdate_decode(json, &update, &issues), 0);
    return update;
}

/* Asks for both in one plan: true, false for the names "good" and "evil". */
static void ask(const struct hf_edgeupdate *good, const struct hf_edgeupdate *evil, bool want_good)
{
    hf_release_trust_begin(&trust);
    ck_assert_int_eq(hf_release_trust_accepts(&trust, good), want_good);
    ck_assert(!hf_release_trust_accepts(&trust, evil));
    hf_release_trust_end(&trust);
}

/* Verdicts stay until something changes that they depend on. */
START_TEST(verdicts_stay)
{
    struct hf_edgeupdate *good = update_of("good", true), *evil = update_of("evil", false);

    ask(good, evil, true);
    ck_assert_uint_eq(trust.checks, 2);
    ask(good, evil, true);
    ck_assert_uint_eq(trust.checks, 2);
    ck_assert_ptr_null(hf_release_trust_why(&trust, "good"));
    ck_assert_ptr_nonnull(strstr(hf_release_trust_why(&trust, "evil"), "SignatureInvalid: "));
    /* The key goes, and comes back. */
    hf_simfs_delete(disk, "/trust/site.pem");
    ask(good, evil, false);
    ck_assert_ptr_nonnull(strstr(hf_release_trust_why(&trust, "good"), "NoTrustedKeys: "));
    hf_simfs_put(disk, "/trust/site.pem", pub.p, pub.n, 0644);
    ask(good, evil, true);
    /* A higher threshold counts, too. */
    hf_simfs_put(disk, "/trust/threshold", "2\n", 2, 0644);
    ask(good, evil, false);
    /* A plan that does not ask forgets. */
    hf_release_trust_begin(&trust);
    hf_release_trust_end(&trust);
    ck_assert_uint_eq(trust.verdicts.n, 0);
    hf_edgeupdate_free(good);
    hf_edgeupdate_free(evil);
}
END_TEST

/* The same release under the same object name, with other signatures: the verdict is made anew. */
START_TEST(signatures_change)
{
    struct hf_edgeupdate *good = update_of("one", true), *evil = update_of("one", false);

    hf_release_trust_begin(&trust);
    ck_assert(hf_release_trust_accepts(&trust, good));
    ck_assert(!hf_release_trust_accepts(&trust, evil));
    ck_assert(hf_release_trust_accepts(&trust, good));
    hf_release_trust_end(&trust);
    hf_edgeupdate_free(good);
    hf_edgeupdate_free(evil);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, verdicts_stay);
    tcase_add_test(tc, signatures_change);
}

HF_TEST_MAIN("agent/release_trust", cases)
