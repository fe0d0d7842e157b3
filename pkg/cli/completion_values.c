/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/completion_values.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "api/meta.h"
#include "cli/args.h"
#include "cli/fleet/cluster.h"
#include "cli/fleet/node_view.h"
#include "cli/node/recover_release.h"
#include "cli/plain.h"

enum { LIMIT_S = 2 };

enum value_kind { NOTHING, PHASES, CONTEXTS, NODES, UPDATES, RELEASES, OWN_RELEASES };

struct values {
    struct hf_cli *cli;
    const char *typed; /* only values that begin with it */
    const char *path;  /* of the name in an object of the cluster */
};

/* By the command's name, or by the option that stands before the value. */
static const struct {
    const char *before;
    enum value_kind kind;
} table[] = {
    {"--put", OWN_RELEASES},
    {"--context", CONTEXTS},
    {"--phase", PHASES},
    {"--release", RELEASES},
    {"node", NODES},
    {"policy explain", NODES},
    {"turn free", NODES},
    {"status", UPDATES},
    {"rollout watch", UPDATES},
    {"rollout pause", UPDATES},
    {"rollout resume", UPDATES},
    {"rollout halt", UPDATES},
};

static enum value_kind kind_of(const char *before)
{
    for (size_t i = 0; i < HF_LEN(table); i++)
        if (strcmp(table[i].before, before) == 0)
            return table[i].kind;
    return NOTHING;
}

static void print_value(void *arg, const char *value)
{
    const struct values *values = arg;

    if (strncmp(value, values->typed, strlen(values->typed)) == 0)
        hf_cli_print_line(values->cli->out, "%s", value);
}

static int print_own(void *arg, const char *name)
{
    print_value(arg, name);
    return 0;
}

static int print_name(void *arg, json_t *object, HF_UNUSED struct hf_err *err)
{
    const struct values *values = arg;
    const char *name = hf_json_str_or(object, values->path, "");

    if (name[0] != '\0')
        print_value(arg, name);
    return 0;
}

static void end_process(HF_UNUSED int number)
{
    _exit(HF_EXIT_OK);
}

static void ignore(HF_UNUSED void *arg)
{
    /* a name that is printed twice does no harm */
}

static void print_names(struct values *values, const struct hf_cli_args *args, enum value_kind kind)
{
    _cleanup_(hf_cluster_closep) struct hf_cluster *cluster = NULL;
    const struct hf_cluster_list list =
        HF_CLUSTER_LIST(HF_API_GROUP_VERSION, kind == NODES ? "edgenodes" : "edgeupdates", print_name, values,
                        .metadata_only = kind != RELEASES, .again = ignore);
    struct hf_err ignored = HF_ERR_INIT;

    values->path = kind == RELEASES ? "spec.release.name" : "metadata.name";
    (void)signal(SIGALRM, end_process);
    (void)alarm(LIMIT_S);
    if (hf_cluster_open(values->cli, args, &cluster, &ignored) == 0)
        (void)!hf_cluster_each(cluster, &list, &ignored);
    (void)alarm(0);
}

static bool has_word(const char *const *words, size_t n, const char *word)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(words[i], word) == 0)
            return true;
    return false;
}

/* Takes the options of the cluster that stand before the last word. Others may be wrong or incomplete yet. */
static void take_options(const struct hf_cli_command *command, const char *const *words, size_t n,
                         struct hf_cli_args *ret_args)
{
    static const char *const none[] = {NULL};

    *ret_args = (struct hf_cli_args){.words = none};
    for (size_t i = 0; i + 1 < n; i++)
        for (const struct hf_cli_option *o = command->options; o != NULL && o->name != NULL; o++)
            if (strncmp(words[i], "--", 2) == 0 && strcmp(words[i] + 2, o->name) == 0 && o->value != NULL &&
                ret_args->n_options < HF_CLI_MAX_OPTIONS) {
                size_t value = strcmp(words[i + 1], "=") == 0 ? i + 2 : i + 1; /* bash makes "=" a word */
                if (value + 1 < n) {
                    ret_args->options[ret_args->n_options] = o;
                    ret_args->values[ret_args->n_options++] = words[value];
                }
            }
}

/* Returns the option whose value the last word is, as "--name" in `text`; NULL: the last word is an argument. */
static const char *option_before(const struct hf_cli_command *command, const char *const *words, size_t n)
{
    const char *before = n >= 2 ? words[n - 2] : "";

    if (strcmp(before, "=") == 0 && n >= 3)
        before = words[n - 3];
    for (const struct hf_cli_option *o = command->options; o != NULL && o->name != NULL; o++)
        if (strncmp(before, "--", 2) == 0 && strcmp(before + 2, o->name) == 0 && o->value != NULL)
            return before;
    return NULL;
}

void hf_cli_completion_values(struct hf_cli *cli, const char *const *words, size_t n)
{
    struct values values = {.cli = cli, .typed = n > 0 ? words[n - 1] : ""};
    struct hf_err ignored = HF_ERR_INIT;
    struct hf_cli_args args;
    size_t used = 0;
    const struct hf_cli_command *command = n > 1 ? hf_cli_find(cli, words, n - 1, &used) : NULL;

    if (command == NULL)
        return;
    words += used;
    n -= used;
    if (strcmp(values.typed, "=") == 0)
        values.typed = "";
    bool local = strcmp(command->name, "rollback") == 0 && has_word(words, n, "--local");
    const char *option = option_before(command, words, strcmp(words[n - 1], "=") == 0 ? n + 1 : n);
    enum value_kind kind = option != NULL           ? kind_of(option)
                           : values.typed[0] == '-' ? NOTHING
                           : local                  ? OWN_RELEASES
                                                    : kind_of(command->name);
    take_options(command, words, n, &args);
    if (kind == PHASES)
        hf_node_view_phases(print_value, &values);
    else if (kind == CONTEXTS)
        hf_cluster_contexts(cli, &args, print_value, &values);
    else if (kind == OWN_RELEASES)
        (void)!hf_cli_recover_names(cli->fs, hf_cli_value(&args, "state-dir", HF_CLI_DEFAULT_STATE_DIR), print_own,
                                    &values, &ignored);
    else if (kind != NOTHING)
        print_names(&values, &args, kind);
}
