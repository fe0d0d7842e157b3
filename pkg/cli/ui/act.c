/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/ui/act.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_NAME = 600, MAX_REASON = 200, MAX_RELEASE = 253 };

enum { REASON = 1, RELEASE = 2 };

static const struct {
    const char *name, *words[2], *plural;
    unsigned may; /* have these fields */
} acts[] = {
    {"Pause", {"rollout", "pause"}, "edgeupdates", 0},
    {"Halt", {"rollout", "halt"}, "edgeupdates", REASON},
    {"Resume", {"rollout", "resume"}, "edgeupdates", 0},
    {"FreeTurn", {"turn", "free"}, "edgenodes", RELEASE},
};

static int take_text(const char *field, const json_t *value, size_t max, const char **to, struct hf_err *err)
{
    const char *text = json_string_value(value);

    if (text == NULL || text[0] == '\0' || strlen(text) > max)
        return hf_err_set(err, EBADMSG, "'%s' is empty, too long or no text", field);
    for (const char *p = text; *p != '\0'; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            return hf_err_set(err, EBADMSG, "a control character is in '%s'", field);
    *to = text;
    return 0;
}

static int take_fields(struct hf_ui_act *act, const char **ret_kind, struct hf_err *err)
{
    const struct {
        const char *name;
        const char **to;
        size_t max;
    } fields[] = {{"act", ret_kind, MAX_NAME},
                  {"name", &act->name, MAX_NAME},
                  {"reason", &act->reason, MAX_REASON},
                  {"release", &act->release, MAX_RELEASE}};
    const char *name;
    json_t *value;
    int r = 0;

    json_object_foreach(act->json, name, value) {
        size_t i = 0;
        while (i < HF_LEN(fields) && strcmp(fields[i].name, name) != 0)
            i++;
        if (i < HF_LEN(fields))
            r = take_text(fields[i].name, value, fields[i].max, fields[i].to, err);
        else if (strcmp(name, "confirmed") == 0 && json_is_boolean(value))
            act->confirmed = json_is_true(value);
        else
            r = hf_err_set(err, EBADMSG, "a field is unknown");
        if (r < 0)
            return r;
    }
    return *ret_kind != NULL && act->name != NULL ? 0 : hf_err_set(err, EBADMSG, "an act has 'act' and 'name'");
}

int hf_ui_act_parse(struct hf_view body, struct hf_ui_act *ret_act, struct hf_err *err)
{
    struct hf_ui_act act = {.name = NULL};
    const char *kind = NULL;
    size_t i = 0;
    int r = 0;

    if (body.n > HF_UI_ACT_MAX_BYTES || hf_json_parse(body, NULL, &act.json, NULL) < 0 || !json_is_object(act.json))
        r = hf_err_set(err, EBADMSG, "the body is no JSON object of at most %d bytes", HF_UI_ACT_MAX_BYTES);
    if (r == 0)
        r = take_fields(&act, &kind, err);
    while (r == 0 && i < HF_LEN(acts) && strcmp(acts[i].name, kind) != 0)
        i++;
    if (r == 0 && i == HF_LEN(acts))
        r = hf_err_set(err, EBADMSG, "there is no such act");
    if (r == 0 &&
        ((act.reason != NULL && (acts[i].may & REASON) == 0) || (act.release != NULL && (acts[i].may & RELEASE) == 0)))
        r = hf_err_set(err, EBADMSG, "%s does not have such a field", kind);
    if (r < 0) {
        json_decref(act.json);
        return r;
    }
    memcpy(act.words, acts[i].words, sizeof(act.words));
    act.plural = acts[i].plural;
    *ret_act = act;
    return 0;
}

void hf_ui_act_done(struct hf_ui_act *act)
{
    json_decref(act->json);
    act->json = NULL;
}

/* ---- the command ------------------------------------------------------------------------------------------------- */

/* Those of HF_CLUSTER_OPTIONS but --context, which the caller decides. */
static bool says_where(const struct hf_cli_option *option)
{
    static const char *const names[] = {
        "kubeconfig", "cluster", "user", "server", "token", "certificate-authority", "insecure-skip-tls-verify"};

    for (size_t i = 0; i < HF_LEN(names); i++)
        if (strcmp(option->name, names[i]) == 0)
            return true;
    return false;
}

static char *option_word(const char *name, const char *value)
{
    return value != NULL ? hf_asprintf("--%s=%s", name, value) : hf_asprintf("--%s", name);
}

/* A value never begins a word, unless behind "--": so none is taken for an option. */
char **hf_ui_act_argv(const struct hf_ui_act *act, const char *program, const struct hf_cli_args *args,
                      const char *context, const char *object)
{
    char **argv = calloc(HF_UI_ACT_WORDS + 1, sizeof(*argv));
    size_t n = 0;
    bool all = argv != NULL;

    if (!all)
        return NULL;
    argv[n++] = strdup(program);
    argv[n++] = strdup(act->words[0]);
    argv[n++] = strdup(act->words[1]);
    for (size_t i = 0; i < args->n_options; i++)
        if (says_where(args->options[i]))
            argv[n++] = option_word(args->options[i]->name, args->values[i]);
    if (context[0] != '\0')
        argv[n++] = option_word("context", context);
    if (act->reason != NULL)
        argv[n++] = option_word("reason", act->reason);
    if (act->release != NULL)
        argv[n++] = option_word("release", act->release);
    argv[n++] = strdup("--");
    argv[n++] = strdup(object);
    for (size_t i = 0; i < n; i++)
        all = all && argv[i] != NULL;
    if (all)
        return argv;
    for (size_t i = 0; i < n; i++)
        free(argv[i]);
    free(argv);
    return NULL;
}

void hf_ui_argv_free(char **argv)
{
    for (size_t i = 0; argv != NULL && argv[i] != NULL; i++)
        free(argv[i]);
    free(argv);
}

json_t *hf_ui_act_options(const struct hf_cli_args *args)
{
    json_t *list = json_array();

    for (size_t i = 0; i < args->n_options; i++) {
        bool secret = strcmp(args->options[i]->name, "token") == 0;
        _cleanup_(hf_freep) char *word = option_word(args->options[i]->name, secret ? "..." : args->values[i]);
        if (says_where(args->options[i]))
            (void)json_array_append_new(list, json_string(word));
    }
    return list;
}

json_t *hf_ui_act_review(const struct hf_ui_act *act, const char *object)
{
    return json_pack("{s:s, s:s, s:{s:{s:s, s:s, s:s, s:s}}}", "apiVersion", "authorization.k8s.io/v1", "kind",
                     "SelfSubjectAccessReview", "spec", "resourceAttributes", "verb", "patch", "group",
                     "edge.codcompass.io", "resource", act->plural, "name", object);
}
