/* SPDX-License-Identifier: Apache-2.0 */
/* policy explain: the view of a node from its report and the policies, and the command on files. */
#include "cli/cli.h"
#include "cli/policy/policy_view.h"
#include "support/check_main.h"
#include "support/cli_run.h"

static struct cli_run run;

static void setup(void)
{
    cli_begin(&run);
}

static void teardown(void)
{
    cli_end(&run);
}

static json_t *parse(const char *text)
{
    struct hf_err err = HF_ERR_INIT;
    json_t *json = NULL;

    ck_assert_msg(hf_yaml_parse(hf_view_of(text), NULL, &json, &err) == 0, "%s: %s", err.cause, text);
    return json;
}

#define POLICY(name, generation, spec)                                                                                 \
    "{apiVersion: edge.codcompass.io/v1alpha1, kind: SyncPolicy, metadata: {name: " name ", generation: " generation   \
    "}, spec: {" spec "}}"
#define DISK(percent) "disk: {warnPercent: " percent "}"
#define HAS(name, generation) "{name: " name ", observedGeneration: " generation "}"
#define FROM(path, policy) "{path: " path ", policy: " policy ", signed: false}"

/* ---- the view ---------------------------------------------------------------------------------------------------- */

static const struct {
    const char *name, *labels, *status; /* YAML; labels NULL: unknown; status NULL: no EdgeNode */
    const char *policies;
    const char *sections;  /* "path policy: why" of each, joined by " | " */
    const char *behind;    /* "name: reason" of policies that are not in effect in this generation */
    const char *conflicts; /* path and policy of each */
    const char *note;      /* part of a note; NULL: none */
} views[] = {
    {"no policy", "{}", NULL, "[]", "", "", "", NULL},
    {"two that do not touch", "{}",
     "{policy: {policies: [" HAS("alpha", "1") ", " HAS("site", "2") "], sections: [" FROM("disk", "alpha") ", " FROM(
         "interval", "site") "]}}",
     "[" POLICY("site", "2", "interval: 1m") ", " POLICY("alpha", "1", DISK("60")) "]",
     "disk alpha: no other policy sets it | interval site: no other policy sets it", "", "", NULL},
    {"priority", "{}",
     "{policy: {policies: [" HAS("b", "1") ", " HAS("a", "1") "], sections: [" FROM("disk", "b") "]}}",
     "[" POLICY("a", "1", "priority: -3, " DISK("60")) ", " POLICY("b", "1", "priority: 5, " DISK("50")) "]",
     "disk b: before a (priority -3)", "", "", NULL},
    {"the same value", "{}",
     "{policy: {policies: [" HAS("a", "1") ", " HAS("b", "1") "], sections: [" FROM("disk", "a") "]}}",
     "[" POLICY("a", "1", DISK("60")) ", " POLICY("b", "1", DISK("60")) "]", "disk a: b says the same", "", "", NULL},
    {"the incumbent stays", "{}",
     "{policy: {policies: [" HAS("a", "1") ", " HAS("z", "1") "], sections: [" FROM("disk", "z") "]}}",
     "[" POLICY("a", "1", DISK("60")) ", " POLICY("z", "1", DISK("50")) "]", "disk z: conflict with a", "", "disk a",
     NULL},
    {"an older generation", "{}", "{policy: {policies: [" HAS("a", "1") "], sections: [" FROM("disk", "a") "]}}",
     "[" POLICY("a", "2", DISK("60") ", interval: 1m") "]",
     "disk a: no other policy sets it | interval a: not in effect yet: the node has not reported it",
     "a: the node has generation 1", "", NULL},
    {"a policy that the node does not take", "{}",
     "{policy: {policies: [], sections: []}, conditions: [{type: PolicyTrusted, status: 'False', message: no key}]}",
     "[" POLICY("a", "1", DISK("60")) "]", "disk a: not in effect yet: the node has not reported it",
     "a: the node has not reported it", "", "PolicyTrusted=False: no key"},
    {"a policy that is gone", "{}", "{policy: {policies: [" HAS("a", "1") "], sections: [" FROM("disk", "a") "]}}",
     "[]", "disk a: the node has it; no policy sets it any more", "", "", NULL},
    {"another one comes first now", "{}",
     "{policy: {policies: [" HAS("a", "1") "], sections: [" FROM("disk", "a") "]}}",
     "[" POLICY("a", "1", DISK("60")) ", " POLICY("b", "1", "priority: 5, " DISK("50")) "]",
     "disk a: the node has it; the policies now say b", "b: the node has not reported it", "", NULL},
    {"selectors", "{zone: a}", "{policy: {policies: [" HAS("a", "1") "], sections: [" FROM("disk", "a") "]}}",
     "[" POLICY("a", "1", "nodeSelector: {matchLabels: {zone: a}}, " DISK("60")) ", " POLICY(
         "b", "1", "nodeSelector: {matchLabels: {zone: b}}, " DISK("50")) "]",
     "disk a: no other policy sets it", "", "", NULL},
    {"unknown labels", NULL, "{policy: {policies: [" HAS("a", "1") "], sections: [" FROM("disk", "a") "]}}",
     "[" POLICY("a", "1", "nodeSelector: {matchLabels: {zone: a}}, " DISK("60")) ", " POLICY("b", "1", DISK("50")) "]",
     "disk a: no other policy sets it", "", "", "labels are unknown"},
    {"one policy, which the node reports without lists", "{}", "{policy: {name: a, observedGeneration: 1}}",
     "[" POLICY("a", "1", DISK("60")) "]", "disk a: no other policy sets it", "", "", NULL},
    {"an agent without sections", "{}", "{policy: {name: gone, observedGeneration: 1}}",
     "[" POLICY("a", "1", DISK("60")) "]", "disk a: no other policy sets it", "", "", "reports no sections"},
    {"an invalid policy", "{}", NULL, "[" POLICY("a", "1", "interval: soon") "]", "", "", "",
     "SyncPolicy 'a' is not valid, so no node takes it: spec.interval: "},
};

static void join(char *text, size_t n, const char *part)
{
    size_t used = strlen(text);

    (void)snprintf(text + used, n - used, "%s%s", used > 0 ? " | " : "", part);
}

static void check_list(const json_t *view, const char *list, const char *const keys[3], const char *want, size_t row)
{
    const json_t *items = json_object_get(view, list);
    char text[2000] = "", part[600];

    for (size_t i = 0; i < json_array_size(items); i++) {
        const json_t *item = json_array_get(items, i);
        const char *last = keys[2] != NULL ? hf_json_str_or(item, keys[2], "") : "";
        if (strcmp(list, "policies") == 0 && last[0] == '\0')
            continue;
        (void)snprintf(part, sizeof(part), "%s%s%s%s%s", hf_json_str_or(item, keys[0], ""), keys[1] != NULL ? " " : "",
                       keys[1] != NULL ? hf_json_str_or(item, keys[1], "") : "", last[0] != '\0' ? ": " : "", last);
        join(text, sizeof(text), part);
    }
    ck_assert_msg(strcmp(text, want) == 0, "%s: %s\n  %s\nwant\n  %s", views[row].name, list, text, want);
}

START_TEST(view_of_a_node)
{
    const size_t i = (size_t)_i;
    _cleanup_(hf_json_freep) json_t *labels = views[i].labels != NULL ? parse(views[i].labels) : NULL;
    _cleanup_(hf_json_freep) json_t *status = views[i].status != NULL ? parse(views[i].status) : NULL;
    _cleanup_(hf_json_freep) json_t *edgenode = status != NULL ? json_pack("{s:O}", "status", status) : NULL;
    _cleanup_(hf_json_freep) json_t *policies = parse(views[i].policies), *view = NULL;
    const struct hf_policy_view_input input = {
        .node = "n1", .edgenode = edgenode, .labels = labels, .policies = policies};
    struct hf_err err = HF_ERR_INIT;

    ck_assert_msg(hf_policy_view_make(&input, &view, &err) == 0, "%s: %s", views[i].name, err.cause);
    check_list(view, "sections", (const char *const[]){"path", "policy", "why"}, views[i].sections, i);
    check_list(view, "policies", (const char *const[]){"name", NULL, "reason"}, views[i].behind, i);
    check_list(view, "conflicts", (const char *const[]){"path", "policy", NULL}, views[i].conflicts, i);
    const json_t *notes = json_object_get(view, "notes");
    ck_assert_msg(json_array_size(notes) == (views[i].note != NULL ? 1 : 0), "%s: notes", views[i].name);
    if (views[i].note != NULL)
        ck_assert_ptr_nonnull(strstr(json_string_value(json_array_get(notes, 0)), views[i].note));
}
END_TEST

/* ---- the command ------------------------------------------------------------------------------------------------- */

START_TEST(explains_files)
{
    cli_write_text(&run, "a.yaml",
                   POLICY("a", "1", "nodeSelector: {matchLabels: {zone: x}}, " DISK("60")) "\n---\n{a: 1}\n");
    cli_write_text(&run, "b.yaml", POLICY("b", "1", DISK("50") ", interval: 1m"));
    ck_assert_int_eq(cli(&run, "policy", "explain", "-f", "%/a.yaml", "-f", "%/b.yaml", NULL), 0);
    ck_assert_ptr_nonnull(strstr(run.out, "\ndisk      b       no      no other policy sets it\n"));
    ck_assert_ptr_null(strstr(run.out, "\na "));
    ck_assert_int_eq(cli(&run, "policy", "explain", "-f", "%/a.yaml", "-f", "%/b.yaml", "-l", "zone=x", NULL),
                     HF_EXIT_UNWELL);
    ck_assert_ptr_nonnull(strstr(run.out, "\nconflict: disk: SyncPolicies 'a' and 'b' of the same priority differ"));
    ck_assert_int_eq(
        cli(&run, "policy", "explain", "n1", "-f", "%/a.yaml", "-f", "%/b.yaml", "-l", "zone=x", "--json", NULL),
        HF_EXIT_UNWELL);
    cli_page_knows_json(&run, "policy explain");
    ck_assert_int_eq(cli(&run, "policy", "explain", "-f", "%/a.yaml", NULL), 0);
    ck_assert_ptr_nonnull(strstr(run.out, "no SyncPolicy selects this node"));
}
END_TEST

START_TEST(wrong_command_lines)
{
    cli_write_text(&run, "a.yaml", POLICY("a", "1", DISK("60")));
    ck_assert_int_eq(cli(&run, "policy", "explain", NULL), HF_EXIT_USAGE);
    ck_assert_int_eq(cli(&run, "policy", "explain", "n1", "-l", "a=b", NULL), HF_EXIT_USAGE);
    ck_assert_int_eq(cli(&run, "policy", "explain", "-f", "%/a.yaml", "-l", "a", NULL), HF_EXIT_USAGE);
    ck_assert_int_eq(cli(&run, "policy", "explain", "-f", "%/a.yaml", "--server", "https://x", NULL), HF_EXIT_USAGE);
    ck_assert_int_eq(cli(&run, "policy", "explain", "-f", "%/none.yaml", NULL), HF_EXIT_FAILED);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, view_of_a_node, 0, (int)HF_LEN(views));
    tcase_add_test(tc, explains_files);
    tcase_add_test(tc, wrong_command_lines);
}

HF_TEST_MAIN("cli/policy_explain", cases)
