/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/release/release_target.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "api/edgeupdate.h"
#include "api/field/text.h"
#include "base/format.h"
#include "base/parse.h"
#include "config/config.h"
#include "steps/target.h"

/* ---- which nodes ------------------------------------------------------------------------------------------------- */

/* One requirement in the syntax of kubectl -l. */
struct requirement {
    char key[320];
    const char *operator; /* NULL: key=value, for matchLabels */
    const char *value;
};

static int read_requirement(const char *text, struct requirement *ret, struct hf_err *err)
{
    bool absent = text[0] == '!';
    const char *key = text + absent;
    size_t n = strcspn(key, "=!");
    const char *rest = key + n;

    *ret = (struct requirement){.operator= absent ? "DoesNotExist" : "Exists" };
    if (*rest != '\0') {
        ret->operator= * rest == '!' ? "NotIn" : NULL;
        ret->value = rest + (strncmp(rest, "==", 2) == 0 || strncmp(rest, "!=", 2) == 0 ? 2 : 1);
    }
    (void)snprintf(ret->key, sizeof(ret->key), "%.*s", (int)HF_MIN(n, sizeof(ret->key) - 1), key);
    if (!hf_text_is_label_key(ret->key) || (absent && *rest != '\0') || (*rest == '!' && rest[1] != '='))
        return hf_err_set(err, EINVAL,
                          "--node-selector: '%.80s' is not key=value, key!=value, key or !key (for other selectors "
                          "use nodeSelector in a --template)",
                          text);
    if (ret->value != NULL && !hf_text_is_label_value(ret->value))
        return hf_err_set(
            err, EINVAL, "--node-selector: '%.63s' is not a label value (at most 63 of A-Z a-z 0-9 - _ .)", ret->value);
    return 0;
}

static int add_requirement(json_t *selector, const struct requirement *want, struct hf_err *err)
{
    json_t *labels, *expressions, *expression;

    if (want->operator== NULL) {
        labels = json_object_get(selector, "matchLabels");
        if (labels == NULL && json_object_set_new(selector, "matchLabels", labels = json_object()) < 0)
            return hf_err_set(err, ENOMEM, "out of memory");
        return json_object_set_new(labels, want->key, json_string(want->value)) < 0
                   ? hf_err_set(err, ENOMEM, "out of memory")
                   : 0;
    }
    expressions = json_object_get(selector, "matchExpressions");
    if (expressions == NULL && json_object_set_new(selector, "matchExpressions", expressions = json_array()) < 0)
        return hf_err_set(err, ENOMEM, "out of memory");
    expression = want->value == NULL ? json_pack("{s:s, s:s}", "key", want->key, "operator", want->operator)
                                     : json_pack("{s:s, s:s, s:[s]}", "key", want->key, "operator", want->operator,
                                                 "values", want->value);
    return hf_cli_append(expressions, expression, err);
}

static int read_selector(const struct hf_cli_args *args, json_t *selector, struct hf_err *err)
{
    const char *given;
    int r = 0;

    for (size_t i = 0; r == 0 && (given = hf_cli_nth_value(args, "node-selector", i)) != NULL; i++) {
        _cleanup_(hf_freep) char *copy = strdup(given);
        char *rest = copy, *piece;
        if (copy == NULL)
            return hf_err_set(err, ENOMEM, "out of memory");
        while (r == 0 && (piece = strsep(&rest, ",")) != NULL) {
            struct requirement want;
            r = read_requirement(piece, &want, err);
            if (r == 0)
                r = add_requirement(selector, &want, err);
        }
    }
    return r;
}

bool hf_release_selects_all(const json_t *update)
{
    const json_t *selector = hf_json_at(update, "spec.nodeSelector");

    return json_object_size(json_object_get(selector, "matchLabels")) == 0 &&
           json_array_size(json_object_get(selector, "matchExpressions")) == 0;
}

int hf_release_put_selector(const struct hf_cli_args *args, json_t *update, struct hf_err *err)
{
    _cleanup_(hf_json_freep) json_t *selector = json_object();
    bool given = hf_cli_count(args, "node-selector") > 0, everywhere = hf_cli_flag(args, "everywhere");
    int r;

    if (selector == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    if (given && everywhere)
        return hf_err_set(err, EINVAL, "--node-selector and --everywhere exclude each other");
    if (!given && !everywhere && !hf_release_selects_all(update))
        return 0; /* keep that of the template */
    if (!given && !everywhere)
        return hf_err_set(
            err, EINVAL,
            "no nodes selected: give --node-selector key=value[,...] (labels, as with kubectl -l), or --everywhere for "
            "all nodes of the cluster");
    r = read_selector(args, selector, err);
    return r == 0 ? hf_cli_put(update, "spec.nodeSelector", hf_steal(selector), err) : r;
}

const char *hf_release_nodes(const json_t *update, char text[HF_RELEASE_NODES_TEXT])
{
    const json_t *selector = hf_json_at(update, "spec.nodeSelector");
    json_t *labels = json_object_get(selector, "matchLabels"), *value;
    size_t more = json_array_size(json_object_get(selector, "matchExpressions")), n = 0;
    const char *key;

    if (hf_release_selects_all(update))
        return "every node";
    n = (size_t)snprintf(text, HF_RELEASE_NODES_TEXT, "nodes with ");
    json_object_foreach(labels, key, value)
        if (n < HF_RELEASE_NODES_TEXT - 1)
            n += (size_t)snprintf(text + n, HF_RELEASE_NODES_TEXT - n, "%s%s=%s", text[n - 1] == ' ' ? "" : ",", key,
                                  json_string_value(value) != NULL ? json_string_value(value) : "?");
    if (more > 0 && n < HF_RELEASE_NODES_TEXT - 1)
        (void)snprintf(text + n, HF_RELEASE_NODES_TEXT - n, "%s%zu %s", text[n - 1] == ' ' ? "" : ", ", more,
                       hf_noun(more, "expression", "expressions"));
    return text;
}

/* ---- could a node accept it? ------------------------------------------------------------------------------------- */

static int check_expiry(struct hf_cli *cli, const json_t *update, struct hf_err *err)
{
    const char *text = hf_json_str(update, "spec.release.expires");
    uint64_t ns;

    if (text == NULL || hf_parse_time(text, &ns) < 0 || ns > hf_unix_ns(cli->clock))
        return 0; /* the check of the whole object reports an invalid time */
    return hf_err_set(err, EINVAL, "--expires: %.40s is in the past: no node would start this release", text);
}

/* Checks the path against the update roots of --update-root, or else the default ones of agents. */
static int check_path(const struct hf_cli_args *args, const json_t *update, struct hf_err *err)
{
    const char *path = hf_json_str(update, "spec.release.install.path");
    const char *roots[HF_CLI_MAX_ROOTS + 1] = {HF_CONFIG_UPDATE_ROOTS, NULL};
    int r = hf_cli_update_roots(args, roots, err);

    if (r < 0)
        return r;
    const struct hf_target target = {.roots = roots, .path = path};
    struct hf_failure failure = {0};
    if (path == NULL || !hf_text_is_path(path) || hf_target_check(&target, &failure) == 0)
        return 0;
    char all[120] = "";
    for (size_t i = 0, n = 0; roots[i] != NULL && n < sizeof(all) - 1; i++)
        n += (size_t)snprintf(all + n, sizeof(all) - n, "%s%s", i > 0 ? ", " : "", roots[i]);
    return hf_err_set(err, EINVAL,
                      "--path: '%.60s' is not below an update root of the nodes (%s); if the agents run with another "
                      "--update-root, give it here, too",
                      path, all);
}

/* By its name elsewhere: of machines, of packages, of compilers. NULL: none. */
static const char *usual_arch(const char *name)
{
    static const char *const usual[][2] = {
        {"x86_64", "amd64"},  {"x86-64", "amd64"},     {"x64", "amd64"},       {"aarch64", "arm64"},
        {"armv8", "arm64"},   {"armhf", "arm"},        {"armel", "arm"},       {"armv7l", "arm"},
        {"armv7", "arm"},     {"armv6l", "arm"},       {"armv6", "arm"},       {"i386", "386"},
        {"i686", "386"},      {"x86", "386"},          {"ppc64el", "ppc64le"}, {"loongarch64", "loong64"},
        {"mipsel", "mipsle"}, {"mips64el", "mips64le"}};

    for (size_t i = 0; i < HF_LEN(usual); i++)
        if (strcasecmp(name, usual[i][0]) == 0)
            return usual[i][1];
    return NULL;
}

/* Checks architectures against the values of kubernetes.io/arch: Go's names of the machines that run Linux. */
static int check_arch(const struct hf_cli_args *args, struct hf_err *err)
{
    static const char *const known[] = {"amd64",   "arm64", "arm",    "386",    "riscv64",  "ppc64le", "s390x",
                                        "loong64", "mips",  "mipsle", "mips64", "mips64le", "ppc64"};
    char all[120] = "";
    const char *spec;

    for (size_t i = 0, n = 0; i < HF_LEN(known); i++)
        n += (size_t)snprintf(all + n, sizeof(all) - n, "%s%s", i > 0 ? " " : "", known[i]);
    for (size_t i = 0; (spec = hf_cli_nth_value(args, "artifact", i)) != NULL; i++) {
        size_t n = strcspn(spec, "=");
        char arch[32];
        bool found = spec[n] == '\0'; /* not ARCH=...: hf_release_add() reports it */
        (void)snprintf(arch, sizeof(arch), "%.*s", (int)HF_MIN(n, sizeof(arch) - 1), spec);
        for (size_t k = 0; k < HF_LEN(known); k++)
            found = found || strcmp(arch, known[k]) == 0;
        const char *usual = found ? NULL : usual_arch(arch);
        if (!found)
            return hf_err_set(err, EINVAL, "--artifact: '%s' is not a value of the label kubernetes.io/arch%s%s%s: %s",
                              arch, usual != NULL ? " (" : "", usual != NULL ? usual : "", usual != NULL ? "?)" : "",
                              all);
    }
    return 0;
}

bool hf_release_is_agent(const json_t *update)
{
    return strcmp(hf_json_str_or(update, "spec.release.install.kind", ""), "Agent") == 0;
}

#define FLAG(kind, field, word, ...) "--health-" word ", "

static int check_health(struct hf_cli *cli, const struct hf_cli_args *args, const json_t *update, struct hf_err *err)
{
    bool none = json_array_size(hf_json_at(update, "spec.release.health.checks")) == 0;

    if (!none && hf_cli_flag(args, "no-health-check"))
        return hf_err_set(err, EINVAL, "--no-health-check: the release has health checks");
    if (none && !hf_release_is_agent(update) && !hf_cli_flag(args, "no-health-check"))
        (void)fprintf(cli->err, "warning: no health check: nodes roll back only if the restart fails (" HF_CHECK_KINDS(
                                    FLAG) "or --no-health-check to silence this)\n");
    return 0;
}

int hf_release_check_target(struct hf_cli *cli, const struct hf_cli_args *args, const json_t *update,
                            struct hf_err *err)
{
    int r = check_expiry(cli, update, err);

    if (r == 0)
        r = check_path(args, update, err);
    if (r == 0)
        r = check_arch(args, err);
    if (r == 0)
        r = check_health(cli, args, update, err);
    if (r == 0 && hf_json_at(update, "spec.strategy") != NULL)
        (void)fprintf(cli->err, "note: spec.strategy " HF_CLI_NEEDS_CONTROLLER "\n");
    return r;
}
