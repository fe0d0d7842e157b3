/* SPDX-License-Identifier: Apache-2.0 */
/* The files in deploy/ that go with the configuration: the example parses, and the schema has the same fields. */
#include "codec/json.h"
#include "config/config.h"
#include "config/settings.h"
#include "os/file.h"
#include "os/fs_posix.h"

#include "support/check_main.h"

static void read_file(const char *path, struct hf_buf *text)
{
    ck_assert_msg(hf_file_read(hf_fs_posix(), path, text, NULL) == 0, "%s", path);
}

/* Turns the comments that hold fields into fields: "#exec: [...]", "#  files: [...]". */
static void uncomment(struct hf_buf *text)
{
    for (char *at = text->p, *end; at != NULL && *at != '\0'; at = end != NULL ? end + 1 : NULL) {
        end = strchr(at, '\n');
        if (at[0] == '#' && at[1] != '\n' && (at[1] != ' ' || at[2] == ' ')) {
            size_t n = (size_t)(text->p + text->n - at);
            memmove(at, at + 1, n);
            text->n--;
            end = end != NULL ? end - 1 : NULL;
        }
    }
}

START_TEST(example)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(65536);
    _cleanup_(hf_config_freep) struct hf_config *config = NULL;

    read_file("deploy/agent.example.yaml", &text);
    uncomment(&text);
    ck_assert_int_eq(hf_config_parse(hf_buf_view(&text), "agent.example.yaml", &config, NULL), 0);
    ck_assert_msg(hf_config_n_faults(config) == 0, "%s", hf_config_fault(config, 0));
    ck_assert(hf_config_requires_signed_policy(config));
    ck_assert(hf_config_allows_exec(config, "/usr/bin/systemctl", NULL));
    ck_assert(hf_config_n_artifacts(config) == 2 && hf_config_n_mirrors(config) == 1);
    ck_assert(hf_config_allows_file_glob(config, HF_CONFIG_SIGNED, "/srv/app/log/a.log", NULL));
    ck_assert(!hf_config_allows_file_glob(config, HF_CONFIG_UNSIGNED, "/srv/app/log/a.log", NULL));
}
END_TEST

/* The values that the example gives as defaults are the defaults. */
START_TEST(example_shows_the_defaults)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(65536);
    _cleanup_(hf_config_freep) struct hf_config *config = NULL;

    read_file("deploy/agent.example.yaml", &text);
    ck_assert_int_eq(hf_config_parse(hf_buf_view(&text), "agent.example.yaml", &config, NULL), 0);
    for (size_t i = 0; i < HF_CONFIG_LISTS; i++) {
        static const char *const nothing[] = {NULL};
        const char *const *a = config->lists[HF_CONFIG_UNSIGNED][i];
        const char *const *b = hf_config_defaults.lists[HF_CONFIG_UNSIGNED][i];
        for (b = b != NULL ? b : nothing; *a != NULL || *b != NULL; a++, b++)
            ck_assert_msg(*a != NULL && *b != NULL && strcmp(*a, *b) == 0, "%s", hf_config_list_names[i]);
    }
    for (size_t i = 0; i < HF_CONFIG_MANIFEST_LISTS; i++) {
        const char *const *a = config->manifests[HF_CONFIG_UNSIGNED].lists[i];
        const char *const *b = hf_config_defaults.manifests[HF_CONFIG_UNSIGNED].lists[i];
        ck_assert_msg((*a == NULL) == (b == NULL), "%s", hf_config_manifest_list_names[i]);
        ck_assert_msg(*a == NULL || (strcmp(a[0], b[0]) == 0 && a[1] == NULL), "%s", hf_config_manifest_list_names[i]);
    }
    ck_assert(!hf_config_requires_signed_policy(config) && !hf_config_requires_signed_manifests(config));
    ck_assert(config->exec == NULL && config->units == NULL && config->static_pod_folder == NULL);
    for (size_t i = 0; i < HF_CONFIG_LISTS; i++)
        ck_assert_ptr_null(config->lists[HF_CONFIG_SIGNED][i]);
    ck_assert(!config->manifests[HF_CONFIG_UNSIGNED].static_pods && !config->manifests[HF_CONFIG_UNSIGNED].cluster);
    ck_assert(!config->refuses_clock_resync);
    ck_assert(config->max_spool_bytes[HF_CONFIG_UNSIGNED] == hf_config_max_spool_bytes(NULL, HF_CONFIG_UNSIGNED));
}
END_TEST

/* Each property gets the value null: only an unknown field has a fault about the field itself. */
static void expect_known(const json_t *properties, const char *parent, size_t count)
{
    const char *key;
    json_t *ignored, *walked = hf_json_mutable(properties);

    ck_assert_uint_eq(json_object_size(properties), count);
    json_object_foreach(walked, key, ignored) {
        _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(1000);
        _cleanup_(hf_config_freep) struct hf_config *config = NULL;
        if (parent == NULL && (strcmp(key, "kind") == 0 || strcmp(key, "apiVersion") == 0))
            continue;
        ck_assert_int_eq(
            hf_buf_addf(&text, "apiVersion: edge.codcompass.io/v1alpha1\nkind: AgentConfiguration\n%s%s%s: null\n",
                        parent != NULL ? parent : "", parent != NULL ? ":\n  " : "", key),
            0);
        ck_assert_int_eq(hf_config_parse(hf_buf_view(&text), "x", &config, NULL), 0);
        ck_assert_uint_eq(hf_config_n_faults(config), 1);
        ck_assert_msg(strstr(hf_config_fault(config, 0), "unknown field") == NULL, "%s", hf_config_fault(config, 0));
    }
}

START_TEST(schema)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(65536);
    _cleanup_(hf_json_freep) json_t *json = NULL;

    read_file("deploy/agent.schema.json", &text);
    ck_assert_int_eq(hf_json_parse(hf_buf_view(&text), NULL, &json, NULL), 0);
    expect_known(hf_json_at(json, "properties"), NULL, 17);
    const json_t *bounds = json_object_get(json_object_get(json_object_get(json, "$defs"), "bounds"), "properties");
    expect_known(bounds, "signedPolicies", HF_CONFIG_LISTS + 2);
    _cleanup_(hf_json_freep) json_t *unsigned_bounds = json_deep_copy(bounds);
    ck_assert_int_eq(json_object_del(unsigned_bounds, "manifests"), 0);
    expect_known(unsigned_bounds, "telemetry", HF_CONFIG_LISTS + 1);
    expect_known(json_object_get(json_object_get(json_object_get(json, "$defs"), "manifests"), "properties"),
                 "manifests", HF_CONFIG_MANIFEST_LISTS + 2);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, example);
    tcase_add_test(tc, example_shows_the_defaults);
    tcase_add_test(tc, schema);
}
HF_TEST_MAIN("config/files", cases)
