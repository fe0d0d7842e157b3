/* SPDX-License-Identifier: Apache-2.0 */
/* lint: report what a node would report about these files. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/field/nearest.h"
#include "api/syncpolicy.h"
#include "base/buf.h"
#include "base/format.h"
#include "cli/lint/lint_bounds.h"
#include "cli/lint/lint_set.h"
#include "cli/lint/lint_values.h"
#include "cli/parts.h"
#include "cli/plain.h"
#include "cli/release/release_spread.h"
#include "codec/yaml_place.h"
#include "config/config.h"
#include "kube/folder/folder_objects.h"

enum { ADVISED_BYTES = 4096, NEARLY = 3 /* wrong letters in a group and version */ };

const struct hf_cli_option hf_cli_lint_options[] = {
    HF_CLI_JSON("print one JSON object per finding"),
    HF_CLI_OPTION("strict", NULL, "treat warnings as errors"),
    HF_CLI_OPTION("config", "FILE", "also report what a node with this agent.yaml refuses"),
    HF_CLI_OPTION("substitute", "NAME=VALUE", "fill in ${NAME} first, as Flux does", .repeats = true),
    {.name = NULL},
};

struct lint {
    struct hf_cli *cli;
    struct hf_buf *texts; /* of all files, for the lines of findings about the set */
    struct hf_lint_place place;
    const json_t *object;     /* at `place` */
    struct hf_config *config; /* of --config; NULL: not given */
    struct hf_lint_set *set;
    json_t *values;                     /* of --substitute; NULL: not given */
    char variable[HF_LINT_VALUES_NAME]; /* the first one that nobody filled in, in an object with errors */
    bool json;
    size_t errors, warnings;
};

static int print_at(struct lint *lint, size_t line, bool error, const char *where, const char *what, struct hf_err *err)
{
    error ? lint->errors++ : lint->warnings++;
    line = HF_MAX(line, (size_t)1); /* a file that is no text has no lines */
    if (!lint->json) {
        hf_cli_print_line(lint->cli->out, "%s:%zu: %s%s%s%s", lint->place.file, line, error ? "" : "warning: ", where,
                          where[0] != '\0' ? ": " : "", what);
        return 0;
    }
    _cleanup_(hf_json_freep) json_t *finding = json_pack(
        "{s:o, s:I, s:s, s:o, s:o}", "file", hf_cli_json_text(lint->place.file), "line", (json_int_t)line, "level",
        error ? "error" : "warning", "path", hf_cli_json_text(where), "text", hf_cli_json_text(what));
    if (finding == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    return hf_cli_print_json(lint->cli, finding, err);
}

static int print_finding(struct lint *lint, bool error, const char *where, const char *what, struct hf_err *err)
{
    const struct hf_lint_place *place = &lint->place;
    char path[600];

    (void)snprintf(path, sizeof(path), "%s%s%s", place->at, place->at[0] != '\0' && where[0] != '\0' ? "." : "", where);
    return print_at(lint, hf_yaml_place_line(hf_buf_view(&lint->texts[place->index]), place->document, path), error,
                    path, what, err);
}

/* Returns true for a misspelt selector: nodes ignore it, so the object would select every node. */
static bool is_lost_selector(const char *path)
{
    const char *key = strncmp(path, "spec.", 5) == 0 ? path + 5 : "";
    struct hf_nearest nearest = {.typed = key};

    hf_nearest_try(&nearest, "nodeSelector");
    hf_nearest_try(&nearest, "selector");
    return nearest.best != NULL || strcasecmp(key, "nodeSelector") == 0;
}

/* An unknown field is an error here: nodes ignore it, and kubectl and API servers refuse it or drop it. */
static int print_warning(struct lint *lint, const struct hf_issue *issue, struct hf_err *err)
{
    static const char unknown[] = "unknown field";
    const json_t *spec = json_object_get(lint->object, "spec");

    if (!is_lost_selector(issue->path))
        return print_finding(lint, strncmp(issue->text, unknown, sizeof(unknown) - 1) == 0, issue->path, issue->text,
                             err);
    return print_finding(lint, true, issue->path,
                         json_object_get(spec, "nodeSelector") != NULL
                             ? "unknown field; did you mean it to be part of nodeSelector?"
                             : "unknown field; did you mean nodeSelector? without it this selects every node",
                         err);
}

static int print_issues(struct lint *lint, const struct hf_issues *issues, struct hf_err *err)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < HF_MIN(issues->n_errors, (size_t)HF_API_MAX_ISSUES); i++)
        r = print_finding(lint, true, issues->errors[i].path, issues->errors[i].text, err);
    if (r == 0 && issues->n_errors > HF_API_MAX_ISSUES)
        r = print_finding(lint, true, "", "and more errors", err);
    for (size_t i = 0; r == 0 && i < HF_MIN(issues->n_warnings, (size_t)HF_API_MAX_ISSUES); i++)
        r = print_warning(lint, &issues->warnings[i], err);
    return r;
}

/* Reports a signed field that every node would miss before it starts the release. */
static int lint_outdated(struct lint *lint, const struct hf_release *release, struct hf_err *err)
{
    char text[200], path[64];
    const char *field = hf_release_outdated(release, text, sizeof(text));

    if (field == NULL)
        return 0;
    (void)snprintf(path, sizeof(path), "spec.release%s%s", strcmp(field, "expires") == 0 ? "" : ".",
                   strcmp(field, "expires") == 0 ? "" : field);
    return print_finding(lint, true, path, text, err);
}

static void report_refusal(void *arg, const char *path, const char *text)
{
    (void)print_finding(arg, true, path, text, NULL);
}

/* Reports a rollout that leaves out nodes for ever, which its author may not intend. */
static int lint_waves(struct lint *lint, const struct hf_edgeupdate *update, struct hf_err *err)
{
    unsigned last = update->n_waves > 0 ? update->waves[update->n_waves - 1].percent : 100;
    char text[120];

    if (!update->has_strategy || last >= 100)
        return 0;
    (void)snprintf(text, sizeof(text),
                   "the rollout ends at %u %% of the nodes; for all of them, add a wave with percent: 100", last);
    return print_finding(lint, false, "spec.strategy.waves", text, err);
}

/* Reports what the chart's admission policy refuses. */
static int lint_spread(struct lint *lint, const json_t *object, struct hf_err *err)
{
    char text[HF_RELEASE_UNSTAGED_TEXT];
    const char *what = hf_release_unstaged(object, text);

    return what != NULL ? print_finding(lint, false, "spec.strategy", what, err) : 0;
}

/* Reports a release that no node starts any more; nodes that run it keep it. */
static int lint_expiry(struct lint *lint, const struct hf_release *release, struct hf_err *err)
{
    char when[HF_TIME_TEXT], text[120];

    if (release->expires_unix_ns > hf_unix_ns(lint->cli->clock))
        return 0;
    (void)snprintf(text, sizeof(text), "expired at %s: no node starts it any more",
                   hf_format_time(release->expires_unix_ns, when));
    return print_finding(lint, false, "spec.release.expires", text, err);
}

static int lint_update(struct lint *lint, json_t *object, struct hf_issues *issues, struct hf_err *err)
{
    _cleanup_(hf_edgeupdate_freep) struct hf_edgeupdate *update = NULL;
    _cleanup_(hf_buf_done) struct hf_buf compact = HF_BUF_INIT(HF_CLI_OBJECT_BYTES);
    int decoded = hf_edgeupdate_decode(object, &update, issues);
    int r = decoded == 0 || decoded == -EBADMSG ? print_issues(lint, issues, err)
                                                : hf_err_wrap(err, decoded, "%s", lint->place.file);

    if (r < 0 || decoded < 0)
        return r;
    if (hf_lint_set_add(lint->set, object, &lint->place) < 0)
        return hf_err_set(err, ENOMEM, "out of memory");
    if (lint->config != NULL)
        hf_cli_lint_update_bounds(lint->config, update, &(struct hf_cli_lint_report){report_refusal, lint});
    if (update->n_signatures == 0)
        r = print_finding(lint, false, "spec.signatures",
                          "not signed yet: every node refuses it (holdfast release sign)", err);
    if (r == 0 && hf_json_format(object, &compact) == 0 && compact.n > ADVISED_BYTES)
        r = print_finding(lint, false, "",
                          "larger than 4 KiB: every node receives it again at each change of its status", err);
    if (r == 0)
        r = lint_outdated(lint, &update->release, err);
    if (r == 0)
        r = lint_expiry(lint, &update->release, err);
    if (r == 0)
        r = lint_waves(lint, update, err);
    if (r == 0)
        r = lint_spread(lint, object, err);
    if (r == 0 && update->release.n_checks == 0)
        r = print_finding(lint, false, "spec.release", "no health check: nodes roll back only if the restart fails",
                          err);
    return r;
}

/* Reports entries that decode, and that every node refuses. */
static int lint_manifests(struct lint *lint, const struct hf_syncpolicy *policy, struct hf_err *err)
{
    char path[64];
    int r = 0;

    for (size_t i = 0; r == 0 && i < policy->n_manifests; i++) {
        const char *why = hf_manifest_unsupported(&policy->manifests[i]);
        (void)snprintf(path, sizeof(path), "spec.manifests[%zu].substitute", i);
        if (why != NULL)
            r = print_finding(lint, true, path, why, err);
    }
    return r;
}

static int lint_policy(struct lint *lint, json_t *object, struct hf_issues *issues, struct hf_err *err)
{
    _cleanup_(hf_syncpolicy_freep) struct hf_syncpolicy *policy = NULL;

    int r = hf_syncpolicy_decode(object, &policy, issues);

    if (r < 0 && r != -EBADMSG)
        return hf_err_wrap(err, r, "%s", lint->place.file);
    if (r == 0 && hf_lint_set_add(lint->set, object, &lint->place) < 0)
        return hf_err_set(err, ENOMEM, "out of memory");
    if (r == 0 && lint->config != NULL)
        hf_cli_lint_policy_bounds(lint->config, policy, &(struct hf_cli_lint_report){report_refusal, lint});
    if (r == 0)
        r = lint_manifests(lint, policy, err);
    return r < 0 && r != -EBADMSG ? r : print_issues(lint, issues, err);
}

static int lint_config(struct lint *lint, json_t *object, struct hf_issues *issues, struct hf_err *err)
{
    _cleanup_(hf_config_freep) struct hf_config *config = NULL;
    int r = hf_config_decode(object, lint->place.file, &config, issues);

    return r < 0 ? hf_err_wrap(err, r, "%s", lint->place.file) : print_issues(lint, issues, err);
}

/* ---- kind and version -------------------------------------------------------------------------------------------- */

static const char *nearest_kind(const char *kind)
{
    struct hf_nearest nearest = {.typed = kind};

    hf_nearest_try(&nearest, "EdgeUpdate");
    hf_nearest_try(&nearest, "SyncPolicy");
    hf_nearest_try(&nearest, "EdgeNode");
    hf_nearest_try(&nearest, HF_CONFIG_KIND);
    return nearest.best;
}

/* Returns true for a typing error, false for another group that only resembles ours. */
static bool nearly_ours(const char *version)
{
    struct hf_nearest nearest = {.typed = version};

    hf_nearest_try(&nearest, HF_API_GROUP_VERSION);
    return nearest.best != NULL && nearest.distance <= NEARLY;
}

/* Reports a misspelt version or kind: the agent would ignore the object silently, and the API server would report a
 * missing kind. */
static int lint_foreign(struct lint *lint, const char *version, const char *kind, struct hf_err *err)
{
    const char *nearest = nearest_kind(kind);
    char text[200];

    if (version[0] == '\0')
        return print_finding(lint, true, "apiVersion", "missing; expected '" HF_API_GROUP_VERSION "'", err);
    if (strncmp(version, HF_API_GROUP "/", sizeof(HF_API_GROUP)) == 0)
        (void)snprintf(text, sizeof(text), "unknown version '%.40s'; expected '" HF_API_VERSION "'",
                       version + sizeof(HF_API_GROUP));
    else if (nearly_ours(version) || nearest != NULL)
        (void)snprintf(text, sizeof(text), "unknown '%.60s'%s%s; did you mean '" HF_API_GROUP_VERSION "'?", version,
                       nearest != NULL ? " for kind " : "", nearest != NULL ? nearest : "");
    else if (lint->values == NULL) /* Flux's folders hold objects of all groups */
        return print_finding(lint, false, "apiVersion", "not of " HF_API_GROUP ": ignored", err);
    else
        return 0;
    return print_finding(lint, true, "apiVersion", text, err);
}

static int lint_kind(struct lint *lint, const char *kind, struct hf_err *err)
{
    const char *nearest = nearest_kind(kind);
    char text[200];

    if (nearest == NULL || strcmp(kind, "EdgeNode") == 0)
        return print_finding(lint, true, "kind", "expected EdgeUpdate, SyncPolicy or " HF_CONFIG_KIND, err);
    (void)snprintf(text, sizeof(text), "unknown kind '%.60s'; did you mean '%s'?", kind, nearest);
    return print_finding(lint, true, "kind", text, err);
}

/* A Node in the folder of a site gives the node its labels. */
static bool is_node(const char *version, const char *kind)
{
    return strcmp(version, "v1") == 0 && strcmp(kind, "Node") == 0;
}

static int lint_decoded(struct lint *lint, json_t *object, struct hf_issues *issues, struct hf_err *err)
{
    const char *kind = hf_json_str_or(object, "kind", ""), *version = hf_json_str_or(object, "apiVersion", "");
    struct hf_err why = HF_ERR_INIT;
    int r = hf_folder_object_check(object, &why);

    if (r == -E2BIG || (r < 0 && is_node(version, kind)))
        return print_finding(lint, true, "", why.cause, err);
    if (is_node(version, kind))
        return 0;
    if (strcmp(version, HF_API_GROUP_VERSION) != 0)
        return lint_foreign(lint, version, kind, err);
    if (strcmp(kind, "EdgeUpdate") == 0)
        return lint_update(lint, object, issues, err);
    if (strcmp(kind, "SyncPolicy") == 0)
        return lint_policy(lint, object, issues, err);
    return strcmp(kind, HF_CONFIG_KIND) == 0 ? lint_config(lint, object, issues, err) : lint_kind(lint, kind, err);
}

static int report_variable(void *arg, const char *path, const char *text, struct hf_err *err)
{
    return print_finding(arg, true, path, text, err);
}

/* Fills in the variables of one of our objects, or notes one if that may be why the object has errors. */
static int lint_filled(struct lint *lint, json_t *object, struct hf_issues *issues, struct hf_err *err)
{
    size_t errors = lint->errors;
    char name[HF_LINT_VALUES_NAME];
    int r = 0;

    if (lint->values != NULL && strcmp(hf_json_str_or(object, "apiVersion", ""), HF_API_GROUP_VERSION) == 0)
        r = hf_lint_values_fill(object, lint->values, &(struct hf_lint_values_report){report_variable, lint}, err);
    if (r == 0)
        r = lint_decoded(lint, object, issues, err);
    if (lint->values == NULL && lint->errors > errors && lint->variable[0] == '\0' && hf_lint_values_find(object, name))
        memcpy(lint->variable, name, sizeof(name));
    return r;
}

static int lint_object(void *arg, const struct hf_folder_object *found, struct hf_err *err)
{
    struct lint *lint = arg;
    _cleanup_(hf_freep) struct hf_issues *issues = calloc(1, sizeof(*issues));

    if (issues == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    lint->object = found->object;
    lint->place.document = found->document;
    (void)snprintf(lint->place.at, sizeof(lint->place.at), "%s", found->at);
    return lint_filled(lint, found->object, issues, err);
}

static int lint_file(struct lint *lint, struct hf_err *err)
{
    _cleanup_(hf_json_freep) json_t *array = NULL;
    char what[sizeof(err->cause) + sizeof(err->where) + 4];
    int r = hf_cli_read_objects(lint->cli, lint->place.file, &array, &lint->texts[lint->place.index], err);

    if (r == 0)
        r = hf_folder_each_object(array, lint_object, lint, err);
    if (r == -EBADMSG || r == -E2BIG) {
        /* The parser's message begins with the place: "line 3 column 5: ..." */
        unsigned long line = strncmp(err->cause, "line ", 5) == 0 ? strtoul(err->cause + 5, NULL, 10) : 0;
        (void)snprintf(what, sizeof(what), "%s", err->cause);
        return print_at(lint, line, true, "", what, err);
    }
    return r;
}

/* Reads the file of --config. Its own faults are errors too. */
static int read_config(struct lint *lint, const char *path, struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_CONFIG_MAX_BYTES);
    int r = hf_cli_read_whole(lint->cli, path, &text, err);

    if (r == 0)
        r = hf_config_parse(hf_buf_view(&text), path, &lint->config, err);
    if (r < 0)
        return r;
    lint->errors += hf_config_n_faults(lint->config);
    for (size_t i = 0; i < hf_config_n_faults(lint->config); i++)
        hf_cli_print_line(lint->json ? lint->cli->err : lint->cli->out, "%s", hf_config_fault(lint->config, i));
    return 0;
}

static int report_in_set(void *arg, const struct hf_lint_place *place, bool is_error, const char *path,
                         const char *text, struct hf_err *err)
{
    struct lint *lint = arg;

    lint->place = *place;
    return print_finding(lint, is_error, path, text, err);
}

static int lint_files(struct lint *lint, const struct hf_cli_args *args, struct hf_err *err)
{
    const char *config = hf_cli_value(args, "config", NULL);
    int r = hf_lint_values_read(args, &lint->values, err);

    if (r == 0 && config != NULL)
        r = read_config(lint, config, err);
    for (size_t i = 0; r == 0 && i < args->n_words; i++) {
        lint->texts[i] = (struct hf_buf)HF_BUF_INIT(HF_CLI_OBJECT_BYTES);
        lint->place = (struct hf_lint_place){.file = args->words[i], .index = i};
        r = lint_file(lint, err);
    }
    return r == 0 ? hf_lint_set_check(lint->set, report_in_set, lint, err) : r;
}

int hf_cli_lint(struct hf_cli *cli, const struct hf_cli_args *args, struct hf_err *err)
{
    struct lint lint = {.cli = cli,
                        .json = hf_cli_flag(args, "json"),
                        .texts = calloc(args->n_words, sizeof(*lint.texts)),
                        .set = hf_lint_set_new()};
    int r = lint.texts == NULL || lint.set == NULL ? hf_err_set(err, ENOMEM, "out of memory")
                                                   : lint_files(&lint, args, err);

    for (size_t i = 0; lint.texts != NULL && i < args->n_words; i++)
        hf_buf_done(&lint.texts[i]);
    free(lint.texts);
    hf_lint_set_free(lint.set);
    hf_config_free(lint.config);
    json_decref(lint.values);
    if (r < 0)
        return r;
    if (lint.variable[0] != '\0')
        (void)fprintf(cli->err, "hint: if Flux fills in ${%s}, --substitute %s=VALUE checks what it applies\n",
                      lint.variable, lint.variable);
    if (!lint.json && lint.errors + lint.warnings > 0)
        (void)fprintf(cli->err, "%zu %s, %zu %s\n", lint.errors, hf_noun(lint.errors, "error", "errors"), lint.warnings,
                      hf_noun(lint.warnings, "warning", "warnings"));
    return lint.errors > 0 || (lint.warnings > 0 && hf_cli_flag(args, "strict")) ? HF_EXIT_REFUSED : 0;
}
