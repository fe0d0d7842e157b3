/* SPDX-License-Identifier: Apache-2.0 */
#include "trust/trust.h"

#include <errno.h>

#include "base/encoding/base64.h"
#include "base/parse.h"
#include "support/check_main.h"
#include "support/fakes/simfs.h"
#include "trust/folder.h"
#include "trust/key.h"

enum { A, B, C, N_KEYS };
static const char *const ids[] = {"key-a", "key-b", "key-c"};
static struct hf_buf priv[N_KEYS], pub[N_KEYS];
static struct hf_simfs *disk;
static struct hf_issues issues;

static void set_up(void)
{
    disk = hf_simfs_new();
    for (int i = 0; i < N_KEYS; i++) {
        priv[i] = pub[i] = (struct hf_buf)HF_BUF_INIT(1000);
        ck_assert_int_eq(hf_trust_generate(&priv[i], &pub[i], NULL), 0);
    }
}

static void tear_down(void)
{
    for (int i = 0; i < N_KEYS; i++) {
        hf_buf_done(&priv[i]);
        hf_buf_done(&pub[i]);
    }
    hf_simfs_free(disk);
}

static void put_key(const char *name, const char *pem)
{
    char path[200];

    (void)snprintf(path, sizeof(path), "/trust/%s.pem", name);
    hf_simfs_put(disk, path, pem, strlen(pem), 0644);
}

static void trust(int key)
{
    put_key(ids[key], hf_buf_str(&pub[key]));
}

static void put_threshold(const char *text)
{
    hf_simfs_put(disk, "/trust/threshold", text, strlen(text), 0644);
}

static struct hf_edgeupdate *make(void)
{
    static const char text[] =
        "{metadata: {name: x}, spec: {release: {version: '1', name: edge, sequence: 1, install: {path: /opt/x},\n"
        " artifacts: [{url: 'https://x/y', arch: arm64, size: 5, sha256: "
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa}]}}}";
    _cleanup_(hf_json_freep) json_t *json = NULL;
    struct hf_edgeupdate *update = NULL;

    ck_assert_int_eq(hf_yaml_parse(HF_VIEW(text), NULL, &json, NULL), 0);
    ck_assert_int_eq(hf_edgeupdate_decode(json, &update, &issues), 0);
    return update;
}

/* Signatures put in by hand, so that also those are checked that decoding would have refused. */
struct signed_update {
    struct hf_edgeupdate *update;
    struct hf_signature list[HF_MAX_SIGNATURES];
    char texts[HF_MAX_SIGNATURES][200];
};

static void signed_init(struct signed_update *s)
{
    *s = (struct signed_update){.update = make()};
}

static void signed_done(struct signed_update *s)
{
    s->update->signatures = NULL;
    s->update->n_signatures = 0;
    hf_edgeupdate_free(s->update);
}

static void add_text(struct signed_update *s, const char *id, const char *text)
{
    size_t n = s->update->n_signatures;

    (void)snprintf(s->texts[n], sizeof(s->texts[n]), "%s", text);
    s->list[n] = (struct hf_signature){id, s->texts[n]};
    s->update->signatures = s->list;
    s->update->n_signatures++;
}

static void sign_message(struct signed_update *s, int key, const char *id, struct hf_view message)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(200);
    unsigned char signature[HF_ED25519_SIGNATURE];

    ck_assert_int_eq(hf_trust_sign(hf_buf_str(&priv[key]), message, signature, NULL), 0);
    ck_assert_int_eq(hf_base64_encode(signature, sizeof(signature), &text), 0);
    add_text(s, id, hf_buf_str(&text));
}

static void sign_as(struct signed_update *s, int key, const char *id)
{
    _cleanup_(hf_buf_done) struct hf_buf message = HF_BUF_INIT(10000);

    ck_assert_int_eq(hf_json_canonical(s->update->release.json, &message, NULL), 0);
    sign_message(s, key, id, hf_buf_view(&message));
}

static void expect(const struct signed_update *s, enum hf_trust_verdict want, const char *want_text)
{
    enum hf_trust_verdict got = HF_TRUST_OK;
    struct hf_err err = HF_ERR_INIT;
    int r = hf_trust_check(hf_simfs_ops(disk), "/trust", s->update, &got, &err);

    ck_assert_msg(r == 0, "%d %s", r, err.cause);
    ck_assert_msg(got == want, "want %s, got %s: %s", hf_trust_reason(want), hf_trust_reason(got), err.cause);
    if (want_text != NULL)
        ck_assert_msg(strstr(err.cause, want_text) != NULL, "'%s' is not in '%s'", want_text, err.cause);
}

START_TEST(good_signature)
{
    _cleanup_(signed_done) struct signed_update s;

    signed_init(&s);
    trust(A);
    sign_as(&s, A, ids[A]);
    expect(&s, HF_TRUST_OK, NULL);
}
END_TEST

START_TEST(no_keys)
{
    _cleanup_(signed_done) struct signed_update s;

    signed_init(&s);
    sign_as(&s, A, ids[A]);
    expect(&s, HF_TRUST_NO_KEYS, "/trust");
    hf_simfs_mkdir(disk, "/trust", 0755);
    expect(&s, HF_TRUST_NO_KEYS, NULL);
    hf_simfs_put(disk, "/trust/readme.txt", "x", 1, 0644);
    hf_simfs_put(disk, "/trust/.pem", "x", 1, 0644);
    expect(&s, HF_TRUST_NO_KEYS, NULL);
}
END_TEST

START_TEST(unsigned_release)
{
    _cleanup_(signed_done) struct signed_update s;

    signed_init(&s);
    trust(A);
    expect(&s, HF_TRUST_UNSIGNED, NULL);
}
END_TEST

START_TEST(unknown_key)
{
    _cleanup_(signed_done) struct signed_update s;

    signed_init(&s);
    trust(A);
    sign_as(&s, B, ids[B]);
    expect(&s, HF_TRUST_UNKNOWN_KEY,
           "0 of 1 required signatures are valid: 'key-b' is not in the trust folder; keys in '/trust': key-a");
}
END_TEST

START_TEST(wrong_key_under_the_right_name)
{
    _cleanup_(signed_done) struct signed_update s;

    signed_init(&s);
    trust(A);
    sign_as(&s, B, ids[A]);
    expect(&s, HF_TRUST_BAD_SIGNATURE, "'key-a' does not verify");
}
END_TEST

START_TEST(changed_release)
{
    _cleanup_(signed_done) struct signed_update s;

    signed_init(&s);
    trust(A);
    sign_as(&s, A, ids[A]);
    ck_assert_int_eq(hf_json_put(hf_json_mutable(s.update->release.json), "sequence", json_integer(2)), 0);
    expect(&s, HF_TRUST_BAD_SIGNATURE, NULL);
    ck_assert_int_eq(hf_json_put(hf_json_mutable(s.update->release.json), "sequence", json_integer(1)), 0);
    expect(&s, HF_TRUST_OK, NULL);
    ck_assert_int_eq(hf_json_put(hf_json_mutable(s.update->release.json), "unknown", json_integer(1)), 0);
    expect(&s, HF_TRUST_BAD_SIGNATURE, NULL);
}
END_TEST

START_TEST(text_that_is_not_canonical)
{
    _cleanup_(signed_done) struct signed_update s;
    _cleanup_(hf_buf_done) struct hf_buf message = HF_BUF_INIT(10000);

    signed_init(&s);
    trust(A);
    ck_assert_int_eq(hf_json_format(s.update->release.json, &message), 0); /* the same values in another order */
    sign_message(&s, A, ids[A], hf_buf_view(&message));
    expect(&s, HF_TRUST_BAD_SIGNATURE, NULL);
}
END_TEST

START_TEST(bad_base64)
{
    static const char *const texts[] = {
        "", "QUJD", "!!!!", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"};

    trust(A);
    for (size_t i = 0; i < HF_LEN(texts); i++) {
        _cleanup_(signed_done) struct signed_update s;
        signed_init(&s);
        add_text(&s, ids[A], texts[i]);
        expect(&s, HF_TRUST_BAD_SIGNATURE, NULL);
    }
    _cleanup_(signed_done) struct signed_update cut;
    signed_init(&cut);
    sign_as(&cut, A, ids[A]);
    cut.texts[0][84] = '\0';
    expect(&cut, HF_TRUST_BAD_SIGNATURE, NULL);
}
END_TEST

START_TEST(names_that_are_paths)
{
    _cleanup_(signed_done) struct signed_update s;

    signed_init(&s);
    trust(A);
    hf_simfs_put(disk, "/elsewhere.pem", hf_buf_str(&pub[B]), pub[B].n, 0644);
    sign_as(&s, B, "../elsewhere");
    expect(&s, HF_TRUST_UNKNOWN_KEY, NULL);
}
END_TEST

START_TEST(threshold)
{
    _cleanup_(signed_done) struct signed_update s;

    signed_init(&s);
    trust(A);
    trust(B);
    put_threshold("2\n");
    sign_as(&s, A, ids[A]);
    expect(&s, HF_TRUST_BELOW_THRESHOLD, "1 of 2 required signatures are valid");
    sign_as(&s, C, ids[C]);
    expect(&s, HF_TRUST_BELOW_THRESHOLD, "'key-c' is not in the trust folder");
    sign_as(&s, B, ids[B]);
    expect(&s, HF_TRUST_OK, NULL);
}
END_TEST

START_TEST(one_key_counts_once)
{
    _cleanup_(signed_done) struct signed_update s;

    signed_init(&s);
    trust(A);
    put_key("alias", hf_buf_str(&pub[A]));
    put_threshold("2");
    sign_as(&s, A, ids[A]);
    sign_as(&s, A, ids[A]);
    sign_as(&s, A, "alias");
    expect(&s, HF_TRUST_BELOW_THRESHOLD, NULL);
}
END_TEST

START_TEST(a_bad_one_beside_enough_good_ones)
{
    _cleanup_(signed_done) struct signed_update s;

    signed_init(&s);
    trust(A);
    trust(B);
    sign_as(&s, B, ids[A]);
    sign_as(&s, B, ids[B]);
    expect(&s, HF_TRUST_OK, NULL);
}
END_TEST

START_TEST(damaged_threshold_stops)
{
    static const char *const bad[] = {
        "",   "0",    "-1", "two", "1 2",
        "65", "1\n2", "01", "1.0", "1000000000000000000000000000000000000000000000000000000000000000000000000000"};
    _cleanup_(signed_done) struct signed_update s;
    enum hf_trust_verdict verdict = HF_TRUST_UNSIGNED;

    signed_init(&s);
    trust(A);
    sign_as(&s, A, ids[A]);
    for (size_t i = 0; i < HF_LEN(bad); i++) {
        struct hf_err err = HF_ERR_INIT;
        put_threshold(bad[i]);
        ck_assert_msg(hf_trust_check(hf_simfs_ops(disk), "/trust", s.update, &verdict, &err) < 0, "'%s'", bad[i]);
        ck_assert_ptr_nonnull(strstr(err.cause, "threshold"));
        ck_assert_int_eq(verdict, HF_TRUST_UNSIGNED);
    }
    put_threshold(" 1 \n");
    expect(&s, HF_TRUST_OK, NULL);
}
END_TEST

START_TEST(damaged_keys)
{
    static char huge[2 * HF_TRUST_MAX_PEM];
    static const char *const bad[] = {"", "garbage", huge};
    enum hf_trust_verdict verdict = HF_TRUST_UNSIGNED;

    memset(huge, 'x', sizeof(huge) - 1);
    for (size_t i = 0; i < HF_LEN(bad); i++) {
        _cleanup_(signed_done) struct signed_update s;
        struct hf_err err = HF_ERR_INIT;
        signed_init(&s);
        trust(A);
        put_key(ids[B], bad[i]);
        sign_as(&s, B, ids[B]);
        ck_assert_int_lt(hf_trust_check(hf_simfs_ops(disk), "/trust", s.update, &verdict, &err), 0);
        ck_assert_ptr_nonnull(strstr(err.cause, "key-b"));
        sign_as(&s, A, ids[A]);
        expect(&s, HF_TRUST_OK, NULL); /* the others still count */
    }
}
END_TEST

/* The private half under the public one's name: the file is named, and what belongs there. */
START_TEST(a_private_key_in_the_trust_folder)
{
    _cleanup_(signed_done) struct signed_update s;
    enum hf_trust_verdict verdict = HF_TRUST_UNSIGNED;
    struct hf_err err = HF_ERR_INIT;

    signed_init(&s);
    put_key(ids[A], hf_buf_str(&priv[A]));
    sign_as(&s, A, ids[A]);
    ck_assert_int_eq(hf_trust_check(hf_simfs_ops(disk), "/trust", s.update, &verdict, &err), -EBADMSG);
    ck_assert_str_eq(err.cause,
                     "'/trust/key-a.pem' holds a private key; a trust folder takes the public half (holdfast "
                     "key public)");
}
END_TEST

START_TEST(links_are_followed_folders_are_not_keys)
{
    _cleanup_(signed_done) struct signed_update s;
    enum hf_trust_verdict verdict;
    struct hf_err err = HF_ERR_INIT;

    signed_init(&s);
    hf_simfs_put(disk, "/trust/..2026/key-a.pem", hf_buf_str(&pub[A]), pub[A].n, 0644);
    hf_simfs_symlink(disk, "/trust/..data", "..2026");
    hf_simfs_symlink(disk, "/trust/key-a.pem", "..data/key-a.pem");
    hf_simfs_mkdir(disk, "/trust/key-b.pem", 0755);
    sign_as(&s, A, ids[A]);
    expect(&s, HF_TRUST_OK, NULL);
    s.update->n_signatures = 0;
    sign_as(&s, B, ids[B]);
    ck_assert_int_lt(hf_trust_check(hf_simfs_ops(disk), "/trust", s.update, &verdict, &err), 0);
}
END_TEST

/* What others can write, or what leads to nothing, stops the check or does not count; the text names it. */
static const struct {
    const char *path, *link;
    mode_t mode;
    uid_t uid;
    const char *text;
} unsafe[] = {
    {"/trust", NULL, 0777, 0, "trust folder '/trust' has mode 0777, so that everybody can write"},
    {"/trust", NULL, 0775, 0, "its group can write"},
    {"/trust", NULL, 0755, 4321, "belongs to uid 4321"},
    {"/trust/key-a.pem", NULL, 0666, 0, "'/trust/key-a.pem' has mode 0666"},
    {"/trust/key-a.pem", NULL, 0644, 4321, "'/trust/key-a.pem' belongs to uid 4321"},
    {"/trust/threshold", NULL, 0666, 0, "'/trust/threshold' has mode 0666"},
    {"/trust/threshold", NULL, 0644, 4321, "'/trust/threshold' belongs to uid 4321"},
    {"/trust/threshold", "nowhere", 0, 0, "'/trust/threshold' is a link to nothing"},
    {"/trust/key-a.pem", "nowhere", 0, 0, "'/trust/key-a.pem' is a link to nothing"},
};

START_TEST(what_others_can_write_does_not_count)
{
    _cleanup_(hf_buf_done) struct hf_buf problems = HF_BUF_INIT(4096);
    _cleanup_(signed_done) struct signed_update s;
    enum hf_trust_verdict verdict = HF_TRUST_UNSIGNED;
    struct hf_err err = HF_ERR_INIT;

    signed_init(&s);
    trust(A);
    put_threshold("1");
    sign_as(&s, A, ids[A]);
    expect(&s, HF_TRUST_OK, NULL);
    hf_trust_folder_inspect(hf_simfs_ops(disk), "/trust", &problems);
    ck_assert_str_eq(hf_buf_str(&problems), "");
    if (unsafe[_i].link != NULL) {
        hf_simfs_delete(disk, unsafe[_i].path);
        hf_simfs_symlink(disk, unsafe[_i].path, unsafe[_i].link);
    } else {
        hf_simfs_chmod(disk, unsafe[_i].path, unsafe[_i].mode);
        hf_simfs_chown(disk, unsafe[_i].path, unsafe[_i].uid, 0);
    }
    ck_assert_int_lt(hf_trust_check(hf_simfs_ops(disk), "/trust", s.update, &verdict, &err), 0);
    ck_assert_int_eq(verdict, HF_TRUST_UNSIGNED);
    ck_assert_msg(strstr(err.cause, unsafe[_i].text) != NULL, "%s", err.cause);
    hf_trust_folder_inspect(hf_simfs_ops(disk), "/trust", &problems);
    ck_assert_msg(strstr(hf_buf_str(&problems), unsafe[_i].text) != NULL, "%s", hf_buf_str(&problems));
}
END_TEST

START_TEST(what_does_not_belong_there_is_named)
{
    _cleanup_(hf_buf_done) struct hf_buf problems = HF_BUF_INIT(4096);

    trust(A);
    put_key("key-z", hf_buf_str(&pub[A]));
    put_key("Key_B", hf_buf_str(&pub[B]));
    put_key("garbage", "garbage");
    put_key("key-c", hf_buf_str(&priv[C]));
    hf_simfs_put(disk, "/trust/signing.key", hf_buf_str(&priv[B]), priv[B].n, 0600);
    hf_simfs_put(disk, "/trust/README", "text", 4, 0644);
    hf_trust_folder_inspect(hf_simfs_ops(disk), "/trust", &problems);
    static const char *const named[] = {"under another id", "'Key_B.pem' has no key id", "'garbage.pem' ",
                                        "'key-c.pem' holds a private key", "'signing.key' holds a private key"};
    for (size_t i = 0; i < HF_LEN(named); i++)
        ck_assert_msg(strstr(hf_buf_str(&problems), named[i]) != NULL, "'%s' is not in: %s", named[i],
                      hf_buf_str(&problems));
    ck_assert_ptr_null(strstr(hf_buf_str(&problems), "README"));
}
END_TEST

START_TEST(too_many_keys)
{
    _cleanup_(signed_done) struct signed_update s;
    enum hf_trust_verdict verdict;

    signed_init(&s);
    sign_as(&s, A, ids[A]);
    for (int i = 0; i <= HF_TRUST_MAX_KEYS; i++) {
        char name[32];
        (void)snprintf(name, sizeof(name), "k%d", i);
        put_key(name, hf_buf_str(&pub[A]));
    }
    ck_assert_int_eq(hf_trust_check(hf_simfs_ops(disk), "/trust", s.update, &verdict, NULL), -E2BIG);
}
END_TEST

/* Whatever call fails: an error, never a wrong OK; and the right verdict once the disk works again. */
START_TEST(every_call_fails_once)
{
    _cleanup_(signed_done) struct signed_update s;
    uint64_t n = 0;
    bool fired = true;

    signed_init(&s);
    trust(A);
    put_threshold("2");
    sign_as(&s, A, ids[A]);
    for (n = 1; fired; n++) {
        enum hf_trust_verdict verdict = HF_TRUST_OK;
        hf_simfs_fail_at(disk, n, EIO, 1);
        int r = hf_trust_check(hf_simfs_ops(disk), "/trust", s.update, &verdict, NULL);
        fired = hf_simfs_failed(disk) > 0;
        ck_assert_msg(r < 0 || verdict != HF_TRUST_OK, "call %ju", (uintmax_t)n);
        hf_simfs_fail_at(disk, 0, 0, 0);
    }
    ck_assert_uint_gt(n, 6);
    expect(&s, HF_TRUST_BELOW_THRESHOLD, NULL);
}
END_TEST

START_TEST(every_verdict_has_a_reason_of_its_own)
{
    for (int a = HF_TRUST_OK; a <= HF_TRUST_UNSIGNED; a++)
        for (int b = HF_TRUST_OK; b < a; b++)
            ck_assert_str_ne(hf_trust_reason((enum hf_trust_verdict)a), hf_trust_reason((enum hf_trust_verdict)b));
}
END_TEST

/* ---- policies ---------------------------------------------------------------------------------------------------- */

#define POLICY_HEAD "apiVersion: edge.codcompass.io/v1alpha1\nkind: SyncPolicy\nmetadata: {name: site}\n"
#define POLICY POLICY_HEAD "spec: {sequence: 3, interval: 5m, telemetry: {filter: {sample: [{keep: 0.25, match: {}}]}}}"

/* Signs `text` with key A, then puts the signature into the policy `shown`, and checks that one. */
static enum hf_trust_verdict check_policy(const char *text, const char *shown, struct hf_view prefix)
{
    _cleanup_(hf_buf_done) struct hf_buf message = HF_BUF_INIT(10000), base64 = HF_BUF_INIT(200);
    _cleanup_(hf_json_freep) json_t *signed_json = NULL, *json = NULL;
    _cleanup_(hf_syncpolicy_freep) struct hf_syncpolicy *policy = NULL;
    enum hf_trust_verdict verdict = HF_TRUST_COUNT;
    unsigned char signature[HF_ED25519_SIGNATURE];
    struct hf_err err = HF_ERR_INIT;

    ck_assert_int_eq(hf_yaml_parse(hf_view_of(text), NULL, &signed_json, NULL), 0);
    ck_assert_int_eq(hf_yaml_parse(hf_view_of(shown), NULL, &json, NULL), 0);
    if (prefix.p == NULL)
        ck_assert_int_eq(hf_trust_policy_message(signed_json, &message, NULL), 0);
    else
        ck_assert_int_eq(hf_json_canonical_fractions(hf_json_at(signed_json, "spec"), &message, NULL), 0);
    ck_assert_int_eq(hf_trust_sign(hf_buf_str(&priv[A]), hf_buf_view(&message), signature, NULL), 0);
    ck_assert_int_eq(hf_base64_encode(signature, sizeof(signature), &base64), 0);
    ck_assert_int_eq(hf_json_put(json, "spec.signatures",
                                 json_pack("[{s:s, s:s}]", "keyId", ids[A], "signature", hf_buf_str(&base64))),
                     0);
    ck_assert_msg(hf_syncpolicy_decode(json, &policy, &issues) == 0, "%s: %s", issues.errors[0].path,
                  issues.errors[0].text);
    ck_assert_msg(hf_trust_check_policy(hf_simfs_ops(disk), "/trust", policy, &verdict, &err) == 0, "%s", err.cause);
    return verdict;
}

START_TEST(policy_signature)
{
    static const struct {
        const char *shown;
        enum hf_trust_verdict want;
    } rows[] = {
        {POLICY, HF_TRUST_OK},
        /* equal values in other words */
        {POLICY_HEAD
         "status: {x: 1}\nspec: {interval: 5m, sequence: 3, telemetry: {filter: {sample: [{match: {}, keep: "
         "25e-2}]}}}",
         HF_TRUST_OK},
        {POLICY_HEAD "spec: {sequence: 4, interval: 5m, telemetry: {filter: {sample: [{keep: 0.25, match: {}}]}}}",
         HF_TRUST_BAD_SIGNATURE},
        {POLICY_HEAD "spec: {sequence: 3, interval: 5m, telemetry: {filter: {sample: [{keep: 0.26, match: {}}]}}}",
         HF_TRUST_BAD_SIGNATURE},
        {POLICY_HEAD "spec: {sequence: 3, interval: 5m}", HF_TRUST_BAD_SIGNATURE},
        {POLICY_HEAD "spec: {sequence: 3, interval: 5m, priority: 9, telemetry: {filter: {sample: [{keep: 0.25, match: "
                     "{}}]}}}",
         HF_TRUST_BAD_SIGNATURE},
        {"apiVersion: edge.codcompass.io/v1alpha1\nkind: SyncPolicy\nmetadata: {name: other}\n"
         "spec: {sequence: 3, interval: 5m, telemetry: {filter: {sample: [{keep: 0.25, match: {}}]}}}",
         HF_TRUST_BAD_SIGNATURE},
    };

    trust(A);
    for (size_t i = 0; i < HF_LEN(rows); i++)
        ck_assert_msg(check_policy(POLICY, rows[i].shown, (struct hf_view){NULL, 0}) == rows[i].want, "row %zu", i);
    /* a signature over the spec alone, as releases have it */
    ck_assert_int_eq(check_policy(POLICY, POLICY, HF_VIEW("")), HF_TRUST_BAD_SIGNATURE);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, every_verdict_has_a_reason_of_its_own);
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, good_signature);
    tcase_add_test(tc, no_keys);
    tcase_add_test(tc, unsigned_release);
    tcase_add_test(tc, unknown_key);
    tcase_add_test(tc, wrong_key_under_the_right_name);
    tcase_add_test(tc, changed_release);
    tcase_add_test(tc, text_that_is_not_canonical);
    tcase_add_test(tc, bad_base64);
    tcase_add_test(tc, names_that_are_paths);
    tcase_add_test(tc, threshold);
    tcase_add_test(tc, one_key_counts_once);
    tcase_add_test(tc, a_bad_one_beside_enough_good_ones);
    tcase_add_test(tc, damaged_threshold_stops);
    tcase_add_test(tc, damaged_keys);
    tcase_add_test(tc, a_private_key_in_the_trust_folder);
    tcase_add_test(tc, links_are_followed_folders_are_not_keys);
    tcase_add_loop_test(tc, what_others_can_write_does_not_count, 0, HF_LEN(unsafe));
    tcase_add_test(tc, what_does_not_belong_there_is_named);
    tcase_add_test(tc, too_many_keys);
    tcase_add_test(tc, every_call_fails_once);
    tcase_add_test(tc, policy_signature);
}
HF_TEST_MAIN("trust/trust", cases)
