/* SPDX-License-Identifier: Apache-2.0 */
/* An unsigned entry takes the place of a signed one of the same name, on virtual time: it touches no file that only
 * signed entries may write. */
#include <string.h>

#include "support/check_main.h"
#include "support/manifest_node.h"

#define ENTRY(path, more)                                                                                              \
    "{\"name\":\"app\",\"from\":{\"path\":\"/media/usb\"},\"to\":\"Files\",\"path\":\"" path "\"" more "}"
#define IN_VAULT ENTRY("/vault/app/", "")
#define PRUNES ENTRY("/etc/app/", ",\"prune\":true")

/* Every entry may write `files`, and signed ones `signed_files`, too. */
static void configure(struct node *node, const char *files, const char *signed_files)
{
    char text[600];

    (void)snprintf(text, sizeof(text),
                   "apiVersion: edge.codcompass.io/v1alpha1\nkind: AgentConfiguration\nmanifests:\n"
                   "  files: [%s]\n  paths: [/media/**]\n  units: [app.service]\n"
                   "signedPolicies: {manifests: {files: [%s]}}\n",
                   files, signed_files);
    hf_config_free(node->config);
    ck_assert_int_eq(hf_config_parse(hf_view_of(text), "agent.yaml", &node->config, NULL), 0);
    ck_assert_uint_eq(hf_config_n_faults(node->config), 0);
}

static struct node *begin(const char *manifests, const char *files, const char *signed_files, uint64_t seed)
{
    struct node *node = node_begin(manifests, seed);

    faults.trust_signed = 1;
    configure(node, files, signed_files);
    hf_simfs_mkdir(node->fs, "/vault/app", 0755);
    node_put(node, "/media/usb/a", "one");
    return node;
}

static void end(struct node *node)
{
    faults.trust_signed = -1;
    node_end(node);
}

static void replace(struct node *node, const char *manifests, bool is_signed)
{
    faults.trust_signed = is_signed;
    node_set_policy(node, manifests);
}

/* The signed files stay as they are, and are repaired, also after a new start. A signature ends the refusal. */
START_TEST(unsigned_entry_removes_no_signed_file)
{
    struct node *node = begin(IN_VAULT, "/etc/app/**", "/vault/**", 1);

    node_boot(node);
    node_intervals(node, 3);
    node_expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "signed");
    replace(node, PRUNES, false);
    for (int i = 0; i < 2; i++) {
        node_intervals(node, 3);
        node_expect(node, HF_MANIFEST_REFUSED, HF_MANIFEST_REASON_NOT_ALLOWED, "unsigned");
        ck_assert_ptr_nonnull(strstr(node->status, "'/vault/app/a' was placed by a signed version of this entry"));
        ck_assert(node_has(node, "/vault/app/a", "one") && node_has(node, "/etc/app/a", NULL));
        node_put(node, "/vault/app/a", "evil");
        node_intervals(node, 3);
        ck_assert(node_has(node, "/vault/app/a", "one"));
        node_kill(node);
        node_boot(node);
    }
    replace(node, PRUNES, true);
    node_intervals(node, 3);
    node_expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "signed again");
    ck_assert(node_has(node, "/vault/app/a", NULL) && node_has(node, "/etc/app/a", "one"));
    end(node);
}
END_TEST

/* An unsigned version may take over, and remove, what an unsigned entry may write, whoever has placed it. Row 1: the
 * owner of the node has narrowed what the earlier version, which nobody had signed, was allowed. */
START_TEST(unsigned_entry_removes_what_it_may)
{
    struct node *node = begin(ENTRY("/srv/app/", ""), "/srv/**", "/vault/**", 2 + (uint64_t)_i);

    faults.trust_signed = _i == 0;
    node_boot(node);
    node_intervals(node, 3);
    node_expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "first");
    node_kill(node);
    configure(node, _i == 0 ? "/srv/**, /etc/app/**" : "/etc/app/**", "/vault/**");
    node_boot(node);
    replace(node, PRUNES, false);
    node_intervals(node, 4);
    node_expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "unsigned");
    ck_assert(node_has(node, "/srv/app/a", NULL) && node_has(node, "/etc/app/a", "one"));
    end(node);
}
END_TEST

/* Returns true if the inventory on disk says that a swap has begun. */
static bool has_begun(struct node *node)
{
    size_t n;
    const char *text = hf_simfs_get(node->fs, NODE_STATE "/manifests/app/inventory", &n);

    return text != NULL && memmem(text, n, "pending 1\n", 10) != NULL;
}

/* A kill cuts an unsigned set that was allowed, and then the owner of the node takes these rights away. A swap that had
 * begun comes to its end; otherwise nothing changes. Returns false if no call was the n-th one. */
static bool cut_allowed(uint64_t n, unsigned *begun)
{
    struct node *node = begin(ENTRY("/srv/app/", ""), "/srv/**, /etc/app/**", "/vault/**", 100 + n);

    node_boot(node);
    node_intervals(node, 3);
    node_expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "signed");
    replace(node, PRUNES, false);
    hf_simfs_count_only(node->fs, HF_SIMFS_WRITES);
    hf_simfs_stop_at(node->fs, n);
    node_intervals(node, 4);
    bool killed = hf_simfs_stopped(node->fs);
    node_kill(node);
    hf_simfs_stop_at(node->fs, 0);
    bool moves = has_begun(node) || node_has(node, "/etc/app/a", "one");
    *begun += has_begun(node);
    configure(node, "/etc/app/**", "/srv/**");
    node_boot(node);
    node_intervals(node, 10);
    node_expect(node, moves ? HF_MANIFEST_APPLIED : HF_MANIFEST_REFUSED,
                moves ? HF_MANIFEST_REASON_APPLIED : HF_MANIFEST_REASON_NOT_ALLOWED, "narrowed");
    ck_assert_msg(node_has(node, "/srv/app/a", moves ? NULL : "one") &&
                      node_has(node, "/etc/app/a", moves ? "one" : NULL),
                  "cut at %u: %s", (unsigned)n, node->status);
    end(node);
    return killed;
}

START_TEST(cut_swap_that_was_allowed_ends)
{
    unsigned begun = 0;
    uint64_t n = 1;

    while (cut_allowed(n, &begun))
        n++;
    ck_assert_uint_gt(begun, 3);
    ck_assert_uint_gt(n, begun + 3);
}
END_TEST

/* A kill cuts the swap of a signed set, the first one or the second, whose content is lost. No set that is good was
 * signed, and the files that are in place stay. */
static bool cut_signed(uint64_t n, bool first, unsigned *placed)
{
    struct node *node = begin(first ? IN_VAULT : PRUNES, "/etc/app/**, /srv/**", "/vault/**", 200 + n);
    struct loss loss = {.node = node};

    faults.trust_signed = first;
    if (!first) {
        node_boot(node);
        node_intervals(node, 3);
        node_expect(node, HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, "unsigned");
        hf_simfs_walk(node->fs, NODE_STATE, loss_find_good, &loss);
        node_put(node, "/media/usb/a", "two");
        replace(node, IN_VAULT, true);
    }
    hf_simfs_count_only(node->fs, HF_SIMFS_WRITES);
    hf_simfs_stop_at(node->fs, n);
    if (first)
        node_boot(node);
    node_intervals(node, 4);
    bool killed = hf_simfs_stopped(node->fs);
    node_kill(node);
    hf_simfs_stop_at(node->fs, 0);
    hf_simfs_walk(node->fs, NODE_STATE, loss_damage, &loss);
    bool was_placed = !node_has(node, "/vault/app/a", NULL);
    node_put(node, "/media/usb/a", "three");
    replace(node, ENTRY("/srv/app/", ",\"prune\":true"), false);
    node_boot(node);
    node_intervals(node, 10);
    ck_assert_msg(!was_placed || !node_has(node, "/vault/app/a", NULL), "cut at %u: %s", (unsigned)n, node->status);
    *placed += killed && was_placed;
    end(node);
    return killed;
}

START_TEST(cut_swap_of_a_signed_set_is_not_undone)
{
    unsigned placed = 0;
    uint64_t n = 1;

    while (cut_signed(n, _i == 0, &placed))
        n++;
    ck_assert_uint_gt(placed, 1);
}
END_TEST

/* A signed set that fails moves its files back to where the good one had them, which no unsigned entry may write. */
START_TEST(rollback_to_a_signed_set)
{
    struct node *node = begin(IN_VAULT, "/etc/app/**", "/vault/**", 7);

    node_boot(node);
    node_intervals(node, 3);
    node_put(node, "/media/new/a", "broken");
    replace(node, "{\"name\":\"app\",\"from\":{\"path\":\"/media/new\"},\"prune\":true," NODE_FILES NODE_UNIT "}",
            true);
    node_intervals(node, 6);
    ck_assert_int_eq(node_look(node).status.phase, HF_MANIFEST_ROLLED_BACK);
    ck_assert(node_has(node, "/vault/app/a", "one") && node_has(node, "/etc/app/a", NULL));
    replace(node, PRUNES, false);
    node_put(node, "/media/usb/a", "two");
    node_intervals(node, 4);
    node_expect(node, HF_MANIFEST_REFUSED, HF_MANIFEST_REASON_NOT_ALLOWED, "unsigned");
    ck_assert(node_has(node, "/vault/app/a", "one") && node_has(node, "/etc/app/a", NULL));
    end(node);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, unsigned_entry_removes_no_signed_file);
    tcase_add_loop_test(tc, unsigned_entry_removes_what_it_may, 0, 2);
    tcase_add_test(tc, cut_swap_that_was_allowed_ends);
    tcase_add_loop_test(tc, cut_swap_of_a_signed_set_is_not_undone, 0, 2);
    tcase_add_test(tc, rollback_to_a_signed_set);
}

HF_TEST_MAIN_CPU("manifests/signed", cases, 300)
