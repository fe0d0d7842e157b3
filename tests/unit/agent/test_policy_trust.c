/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/desired/policy.h"

#include <errno.h>

#include "base/encoding/base64.h"
#include "support/check_main.h"
#include "support/fakes/simfs.h"
#include "trust/key.h"
#include "trust/trust.h"

#define CONFIG "apiVersion: edge.codcompass.io/v1alpha1\nkind: AgentConfiguration\n"

static struct hf_simfs *disk;
static struct hf_buf priv = HF_BUF_INIT(1000), pub = HF_BUF_INIT(1000);
static struct hf_home home;
static struct hf_agent_params params;
static struct hf_agent_env env;
static struct hf_policy_trust trust;
static struct hf_config *strict;
static struct hf_issues issues;
static char message[HF_POLICY_MESSAGE];
static const char *reason;

static void boot(void)
{
    hf_policy_trust_init(&trust, &env);
}

static void reboot(void)
{
    hf_policy_trust_done(&trust);
    boot();
}

static void set_up(void)
{
    disk = hf_simfs_new();
    hf_simfs_mkdir(disk, "/state", 0700);
    ck_assert_int_eq(hf_trust_generate(&priv, &pub, NULL), 0);
    hf_simfs_put(disk, "/trust/site.pem", pub.p, pub.n, 0644);
    home = (struct hf_home){.fs = hf_simfs_ops(disk), .dir = "/state"};
    params = (struct hf_agent_params){.home = &home, .trust_dir = "/trust"};
    env = (struct hf_agent_env){.params = &params, .world = {.fs = hf_simfs_ops(disk)}};
    ck_assert_int_eq(hf_config_parse(hf_view_of(CONFIG "requireSigned: [SyncPolicy]\n"), "x", &strict, NULL), 0);
    boot();
}

static void tear_down(void)
{
    hf_policy_trust_done(&trust);
    hf_config_free(strict);
    hf_simfs_free(disk);
    hf_buf_done(&priv);
    hf_buf_done(&pub);
}

/* A policy with this sequence and interval; signed unless the key text is NULL. */
static json_t *make_policy(const char *name, unsigned sequence, const char *interval, const char *key)
{
    _cleanup_(hf_buf_done) struct hf_buf bytes = HF_BUF_INIT(10000), base64 = HF_BUF_INIT(200);
    unsigned char signature[HF_ED25519_SIGNATURE];
    json_t *json =
        json_pack("{s:s, s:s, s:{s:s}, s:{s:i, s:s}}", "apiVersion", HF_API_GROUP_VERSION, "kind", "SyncPolicy",
                  "metadata", "name", name, "spec", "sequence", (int)sequence, "interval", interval);

    ck_assert_int_eq(hf_trust_policy_message(json, &bytes, NULL), 0);
    if (key != NULL) {
        ck_assert_int_eq(hf_trust_sign(key, hf_buf_view(&bytes), signature, NULL), 0);
        ck_assert_int_eq(hf_base64_encode(signature, sizeof(signature), &base64), 0);
        ck_assert_int_eq(hf_json_put(json, "spec.signatures",
                                     json_pack("[{s:s, s:s}]", "keyId", "site", "signature", hf_buf_str(&base64))),
                         0);
    }
    return json;
}

static enum hf_policy_verdict judge(const char *name, unsigned sequence, const char *interval, const char *key)
{
    _cleanup_(hf_syncpolicy_freep) struct hf_syncpolicy *policy = NULL;
    _cleanup_(hf_json_freep) json_t *json = make_policy(name, sequence, interval, key);

    ck_assert_int_eq(hf_syncpolicy_decode(json, &policy, &issues), 0);
    message[0] = '\0';
    return hf_policy_trust_judge(&trust, policy, &reason, message);
}

static enum hf_policy_verdict judge_signed(const char *name, unsigned sequence)
{
    return judge(name, sequence, "5m", hf_buf_str(&priv));
}

START_TEST(without_a_requirement)
{
    ck_assert_int_eq(judge("a", 1, "5m", NULL), HF_POLICY_UNSIGNED);
    ck_assert_ptr_null(reason);
    ck_assert_int_eq(judge_signed("a", 1), HF_POLICY_SIGNED);
    ck_assert_ptr_null(reason);
}
END_TEST

START_TEST(with_a_requirement)
{
    env.config = strict;
    ck_assert_int_eq(judge("a", 1, "5m", NULL), HF_POLICY_REFUSED);
    ck_assert_str_eq(reason, "Unsigned");
    ck_assert_msg(strstr(message, "SyncPolicy 'a': the policy is not signed; requireSigned") != NULL, "%s", message);
    ck_assert_int_eq(judge_signed("a", 1), HF_POLICY_SIGNED);
}
END_TEST

START_TEST(other_key)
{
    _cleanup_(hf_buf_done) struct hf_buf other = HF_BUF_INIT(1000), public = HF_BUF_INIT(1000);

    ck_assert_int_eq(hf_trust_generate(&other, &public, NULL), 0);
    ck_assert_int_eq(judge("a", 1, "5m", hf_buf_str(&other)), HF_POLICY_UNSIGNED);
    ck_assert_str_eq(reason, "SignatureInvalid");
    env.config = strict;
    ck_assert_int_eq(judge("a", 1, "5m", hf_buf_str(&other)), HF_POLICY_REFUSED);
    hf_simfs_delete(disk, "/trust/site.pem");
    ck_assert_int_eq(judge_signed("a", 1), HF_POLICY_REFUSED);
    ck_assert_str_eq(reason, "NoTrustedKeys");
}
END_TEST

START_TEST(replay)
{
    env.config = strict;
    ck_assert_int_eq(judge_signed("a", 5), HF_POLICY_SIGNED);
    ck_assert_int_eq(judge_signed("a", 5), HF_POLICY_SIGNED);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(judge_signed("a", 4), HF_POLICY_REFUSED);
        ck_assert_str_eq(reason, "SequenceTooLow");
        ck_assert_int_eq(judge("a", 5, "10m", hf_buf_str(&priv)), HF_POLICY_REFUSED);
        ck_assert_str_eq(reason, "SequenceTaken");
        ck_assert_int_eq(judge_signed("b", 1), HF_POLICY_SIGNED); /* every name has its own floor */
        reboot();
    }
    ck_assert_int_eq(judge_signed("a", 6), HF_POLICY_SIGNED);
    env.config = NULL;
    ck_assert_int_eq(judge_signed("a", 5), HF_POLICY_UNSIGNED);
    ck_assert_str_eq(reason, "SequenceTooLow");
}
END_TEST

/* Who deletes the state folder, or puts an old one there, lowers no floor. */
START_TEST(lost_state)
{
    static const char *const roots[] = {"/missing", "/opt", NULL};

    hf_simfs_mkdir(disk, "/opt", 0755);
    params.roots = roots;
    env.config = strict;
    ck_assert_int_eq(judge_signed("a", 5), HF_POLICY_SIGNED);
    ck_assert_int_eq(judge_signed("b", 2), HF_POLICY_SIGNED);
    hf_simfs_delete(disk, "/state/policies");
    reboot();
    ck_assert_int_eq(judge_signed("a", 4), HF_POLICY_REFUSED);
    ck_assert_str_eq(reason, "SequenceTooLow");
    ck_assert_int_eq(judge_signed("b", 1), HF_POLICY_REFUSED);
    ck_assert_int_eq(judge_signed("a", 5), HF_POLICY_SIGNED); /* writes the file again */
    hf_simfs_delete(disk, "/opt/.holdfast-floors/SyncPolicies");
    reboot();
    ck_assert_int_eq(judge_signed("b", 1), HF_POLICY_REFUSED);
    ck_assert_str_eq(reason, "SequenceTooLow");
    ck_assert_int_eq(judge_signed("b", 3), HF_POLICY_SIGNED); /* writes the copy again */
    hf_simfs_put(disk, "/opt/.holdfast-floors/SyncPolicies", "rubbish", 7, 0600);
    reboot();
    ck_assert_int_eq(judge_signed("b", 2), HF_POLICY_REFUSED);
    ck_assert_str_eq(reason, "SequenceTooLow");
}
END_TEST

/* An invalid signature raises no floor. */
START_TEST(floor_of_a_forged_policy)
{
    ck_assert_int_eq(judge("a", 9, "5m", NULL), HF_POLICY_UNSIGNED);
    ck_assert_int_eq(judge_signed("a", 3), HF_POLICY_SIGNED);
}
END_TEST

START_TEST(damaged_file)
{
    ck_assert_int_eq(judge_signed("a", 5), HF_POLICY_SIGNED);
    hf_simfs_put(disk, "/state/policies", "x", 1, 0600);
    reboot();
    ck_assert_int_eq(judge_signed("a", 4), HF_POLICY_SIGNED);
    reboot();
    ck_assert_int_eq(judge_signed("a", 3), HF_POLICY_UNSIGNED);
}
END_TEST

static uint64_t mono_ns;

static uint64_t read_mono(void *ctx)
{
    (void)ctx;
    return mono_ns;
}

static const struct hf_clock_ops mono_clock = {.mono_ns = read_mono, .unix_ns = read_mono};

/* The node accepts "a" in sequence 5, and cannot read that at its next start. */
static void start_without_floors(void)
{
    env.world.clock = &mono_clock;
    env.config = strict;
    ck_assert_int_eq(judge_signed("a", 5), HF_POLICY_SIGNED);
    hf_simfs_set_unreadable(disk, "/state/policies", true);
    reboot();
}

/* While nobody knows the floors, no policy is accepted; and an error of the disk does not end them. */
START_TEST(file_that_cannot_be_read)
{
    struct stat st;

    start_without_floors();
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(judge_signed("a", 6), HF_POLICY_REFUSED);
        ck_assert_str_eq(reason, "FloorsUnreadable");
        ck_assert_msg(strstr(message, "'/state/policies' cannot be read: Input/output error") != NULL, "%s", message);
        ck_assert_int_eq(judge_signed("b", 1), HF_POLICY_REFUSED);
        mono_ns += 1700 * HF_NS_PER_S;
    }
    hf_simfs_set_unreadable(disk, "/state/policies", false);
    ck_assert_int_eq(judge_signed("a", 4), HF_POLICY_REFUSED);
    ck_assert_str_eq(reason, "SequenceTooLow");
    ck_assert_int_eq(judge_signed("a", 6), HF_POLICY_SIGNED);
    reboot();
    ck_assert_int_eq(judge_signed("a", 5), HF_POLICY_REFUSED);
    ck_assert_str_eq(reason, "SequenceTooLow");
    ck_assert(!hf_simfs_stat(disk, "/state/policies.damaged", &st));
}
END_TEST

/* A policy that the node cannot judge is not in effect, but nothing may go because of that: it is not gone. */
START_TEST(a_policy_that_cannot_be_judged)
{
    const struct hf_facts facts = {.arch = "arm64"};
    _cleanup_(hf_json_freep) json_t *json = make_policy("a", 5, "7m", hf_buf_str(&priv));
    enum hf_object_change change;
    struct hf_chosen_policy policy;
    struct hf_objects policies;

    env.world.clock = &mono_clock;
    env.config = strict;
    params.node_name = "n1";
    hf_objects_init(&policies, &hf_object_kind_syncpolicy);
    ck_assert_int_eq(hf_objects_take(&policies, json, NULL, &change), 0);
    for (int start = 0; start < 2; start++) {
        if (start == 1)
            hf_simfs_set_unreadable(disk, "/state/policies", true);
        ck_assert_int_eq(hf_policy_init(&policy, &env), 0);
        ck_assert_int_ge(hf_policy_choose(&policy, &policies, true, &facts), 0);
        ck_assert(policy.unsure == (start == 1) && (policy.set->n_origins == 0) == (start == 1));
        if (start == 0)
            hf_policy_done(&policy);
    }
    hf_simfs_set_unreadable(disk, "/state/policies", false);
    mono_ns += 10 * HF_NS_PER_S;
    ck_assert_int_ge(hf_policy_choose(&policy, &policies, true, &facts), 0);
    ck_assert(!policy.unsure && policy.set->n_origins == 1);
    hf_policy_done(&policy);
    hf_objects_done(&policies);
}
END_TEST

/* The medium stays bad, and nobody comes: after an hour the node goes on without these floors. */
START_TEST(file_that_is_never_read_again)
{
    struct stat st;

    start_without_floors();
    ck_assert_int_eq(judge_signed("a", 6), HF_POLICY_REFUSED);
    mono_ns += 3600 * HF_NS_PER_S;
    ck_assert_int_eq(judge_signed("a", 6), HF_POLICY_SIGNED);
    ck_assert(hf_simfs_stat(disk, "/state/policies.damaged", &st));
    reboot();
    ck_assert_int_eq(judge_signed("a", 5), HF_POLICY_REFUSED);
    ck_assert_str_eq(reason, "SequenceTooLow");
}
END_TEST

START_TEST(disk_that_refuses)
{
    hf_simfs_set_read_only(disk, "/state", true);
    ck_assert_int_eq(judge_signed("a", 5), HF_POLICY_SIGNED);
    ck_assert_int_eq(judge_signed("a", 4), HF_POLICY_UNSIGNED);
    hf_simfs_set_read_only(disk, "/state", false);
    ck_assert_int_eq(judge_signed("a", 5), HF_POLICY_SIGNED); /* writes the file */
    reboot();
    ck_assert_int_eq(judge_signed("a", 4), HF_POLICY_UNSIGNED);
}
END_TEST

START_TEST(too_many_names)
{
    char name[16];

    for (int i = 0; i < HF_POLICY_MAX_FLOORS; i++) {
        (void)snprintf(name, sizeof(name), "p%d", i);
        ck_assert_int_eq(judge_signed(name, 1), HF_POLICY_SIGNED);
    }
    ck_assert_int_eq(judge_signed("one-more", 1), HF_POLICY_UNSIGNED);
    ck_assert_str_eq(reason, "TooManyPolicies");
    reboot();
    ck_assert_uint_eq(trust.floors.floors.n, HF_POLICY_MAX_FLOORS);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, without_a_requirement);
    tcase_add_test(tc, with_a_requirement);
    tcase_add_test(tc, other_key);
    tcase_add_test(tc, replay);
    tcase_add_test(tc, lost_state);
    tcase_add_test(tc, floor_of_a_forged_policy);
    tcase_add_test(tc, damaged_file);
    tcase_add_test(tc, file_that_cannot_be_read);
    tcase_add_test(tc, file_that_is_never_read_again);
    tcase_add_test(tc, a_policy_that_cannot_be_judged);
    tcase_add_test(tc, disk_that_refuses);
    tcase_add_test(tc, too_many_names);
}
HF_TEST_MAIN("agent/policy_trust", cases)
