/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/args.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "api/field/nearest.h"
#include "base/buf.h"

static const struct hf_cli_option *find_long(const struct hf_cli_option *options, const char *name, size_t n)
{
    for (; options != NULL && options->name != NULL; options++)
        if (strncmp(options->name, name, n) == 0 && options->name[n] == '\0')
            return options;
    return NULL;
}

static const struct hf_cli_option *find_letter(const struct hf_cli_option *options, char letter)
{
    for (; options != NULL && options->name != NULL; options++)
        if (options->letter == letter)
            return options;
    return NULL;
}

static int unknown(const struct hf_cli_option *options, const char *typed, struct hf_err *err)
{
    char name[HF_NEAREST_MAX + 1];
    size_t n = strcspn(typed, "=");
    struct hf_nearest nearest = {.typed = name};

    (void)snprintf(name, sizeof(name), "%.*s", (int)HF_MIN(n, (size_t)HF_NEAREST_MAX), typed);
    for (; options != NULL && options->name != NULL; options++)
        hf_nearest_try(&nearest, options->name);
    if (nearest.best != NULL)
        return hf_err_set(err, EINVAL, "unknown option '--%s'; did you mean '--%s'?", name, nearest.best);
    return hf_err_set(err, EINVAL, "unknown option '--%s'", name);
}

static int add_option(struct hf_cli_args *args, const struct hf_cli_option *option, const char *value,
                      struct hf_err *err)
{
    if (args->n_options == HF_CLI_MAX_OPTIONS)
        return hf_err_set(err, EINVAL, "more than %d options", HF_CLI_MAX_OPTIONS);
    for (size_t i = 0; i < args->n_options && !option->repeats; i++)
        if (args->options[i] == option)
            return option->value == NULL ? 0 : hf_err_set(err, EINVAL, "option '--%s' occurs twice", option->name);
    args->options[args->n_options] = option;
    args->values[args->n_options++] = value;
    return 0;
}

/* "-o json": sets the flag --json. */
static int add_alias(const struct hf_cli_command *command, struct hf_cli_args *args, const struct hf_cli_option *option,
                     const char *value, struct hf_err *err)
{
    assert(value != NULL); /* an option with `means` takes a value */
    if (strcmp(value, option->means) != 0)
        return hf_err_set(err, EINVAL, "option '--%s' takes '%s' only, got '%.40s'", option->name, option->means,
                          value);
    return add_option(args, find_long(command->options, option->means, strlen(option->means)), NULL, err);
}

/* Finds the option of a word such as "--name=VALUE" or "-nVALUE". *ret_value is the value in this word, or NULL. */
static const struct hf_cli_option *find_option(const struct hf_cli_option *options, const char *text,
                                               const char **ret_value)
{
    size_t name = text[1] == '-' ? strcspn(text + 2, "=") : 0;

    if (text[1] == '-') {
        *ret_value = text[2 + name] == '=' ? text + 3 + name : NULL;
        return find_long(options, text + 2, name);
    }
    *ret_value = text[2] != '\0' ? text + 2 : NULL;
    return find_letter(options, text[1]);
}

bool hf_cli_asks_for_help(const struct hf_cli_option *options, const char *const *argv, size_t n)
{
    for (size_t i = 0; i < n && strcmp(argv[i], "--") != 0; i++) {
        const char *value;
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return true;
        if (argv[i][0] != '-' || argv[i][1] == '\0')
            continue;
        const struct hf_cli_option *option = find_option(options, argv[i], &value);
        if (option != NULL && option->value != NULL && value == NULL)
            i++; /* the next word is its value */
    }
    return false;
}

/* Parses the option at argv[*i]; moves *i to its last word. */
static int take_option(const struct hf_cli_command *command, const char *const *argv, size_t n, size_t *i,
                       struct hf_cli_args *args, struct hf_err *err)
{
    const char *text = argv[*i], *value;
    const struct hf_cli_option *option = find_option(command->options, text, &value);

    if (option == NULL)
        return text[1] == '-' ? unknown(command->options, text + 2, err)
                              : hf_err_set(err, EINVAL, "unknown option '-%c'", text[1]);
    if (option->value == NULL && value != NULL)
        return hf_err_set(err, EINVAL, "option '--%s' takes no value", option->name);
    if (option->value != NULL && value == NULL) {
        if (*i + 1 >= n)
            return hf_err_set(err, EINVAL, "option '--%s' needs a value: %s", option->name, option->value);
        value = argv[++*i];
    }
    if (option->means != NULL)
        return add_alias(command, args, option, value, err);
    return add_option(args, option, value, err);
}

static int check(const struct hf_cli_command *command, const struct hf_cli_args *args, struct hf_err *err)
{
    for (const struct hf_cli_option *option = command->options; option != NULL && option->name != NULL; option++)
        if (option->required && hf_cli_nth_value(args, option->name, 0) == NULL)
            return hf_err_set(err, EINVAL, "option '--%s %s' is missing", option->name, option->value);
    if (args->n_words < command->min_words)
        return hf_err_set(err, EINVAL, "arguments are missing: %s", command->args);
    if (args->n_words > command->max_words)
        return hf_err_set(err, EINVAL, "unexpected argument '%s'", args->words[command->max_words]);
    return 0;
}

/* Returns the number of words of argv that spell `name` ("delta create": two); 0: they do not. */
static size_t spelled(const char *name, const char *const *argv, size_t n)
{
    struct hf_view rest = hf_view_of(name), word;
    size_t used = 0;

    while (hf_view_split(&rest, ' ', &word)) {
        if (used >= n || !hf_view_eq(word, argv[used]))
            return 0;
        used++;
    }
    return used;
}

const struct hf_cli_command *hf_cli_find(const struct hf_cli *cli, const char *const *argv, size_t n, size_t *ret_used)
{
    for (size_t i = 0; i < cli->n_commands; i++) {
        size_t used = spelled(cli->commands[i].name, argv, n);
        if (used > 0) {
            *ret_used = used;
            return &cli->commands[i];
        }
    }
    return NULL;
}

int hf_cli_parse(const struct hf_cli_command *command, const char *const *argv, size_t n, const char **words,
                 struct hf_cli_args *ret_args, struct hf_err *err)
{
    struct hf_cli_args args = {.words = words};
    bool ended = false;

    for (size_t i = 0; i < n; i++) {
        if (ended || argv[i][0] != '-' || argv[i][1] == '\0') {
            words[args.n_words++] = argv[i];
        } else if (strcmp(argv[i], "--") == 0) {
            ended = true;
        } else {
            int r = take_option(command, argv, n, &i, &args, err);
            if (r < 0)
                return r;
        }
    }
    words[args.n_words] = NULL;
    int r = check(command, &args, err);
    if (r == 0)
        *ret_args = args;
    return r;
}

bool hf_cli_flag(const struct hf_cli_args *args, const char *name)
{
    for (size_t i = 0; i < args->n_options; i++)
        if (strcmp(args->options[i]->name, name) == 0)
            return true;
    return false;
}

const char *hf_cli_value(const struct hf_cli_args *args, const char *name, const char *fallback)
{
    for (size_t i = args->n_options; i-- > 0;)
        if (strcmp(args->options[i]->name, name) == 0)
            return args->values[i];
    return fallback;
}

const char *hf_cli_nth_value(const struct hf_cli_args *args, const char *name, size_t i)
{
    for (size_t k = 0; k < args->n_options; k++)
        if (strcmp(args->options[k]->name, name) == 0 && i-- == 0)
            return args->values[k];
    return NULL;
}
