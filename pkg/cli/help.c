/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/help.h"

#include <errno.h>
#include <string.h>

#include "api/field/nearest.h"
#include "base/buf.h"
#include "cli/args.h"

enum { NAME_COLUMN = 18, OPTION_COLUMN = 28, PAGE = 100 };

static const char exit_codes[] =
    "Exit codes: 0 success; 1 failed (a file, a full disk, ...); 2 wrong command line, nothing happened;\n"
    "3 refused: a signature, a hash or the content itself;\n"
    "4 `status`, `node`, `wait`, `rollout watch`, `policy explain`, `doctor`, `recover`: a person's attention is "
    "needed;\n"
    "5 `status`, `node`: the status is old, and no agent renews it;\n"
    "6 `wait`, `rollout watch`, `recover`: not within --timeout.\n";

/* The commands by what they are for. A command of no group, such as one of a program with few commands, is in the last
 * list. */
static const struct {
    const char *title;
    const char *names[13];
} groups[] = {
    {"Releases", {"release create", "release sign", "release verify", "key generate", "key public", "lint", NULL}},
    {"Deltas", {"delta create", "delta apply", "delta info", NULL}},
    {"Policies", {"policy sign", "policy explain", "manifest digest", "manifest render", "manifest sign", NULL}},
    {"Fleet",
     {"status", "nodes", "node", "ui", "rollout watch", "rollout pause", "rollout resume", "rollout halt", "turn free",
      "wait", "rollback", NULL}},
    {"This node",
     {"node status", "node journal", "node enrol", "node host", "node page", "image stats", "hold", "recover",
      "spool stat", "spool cat", "spool verify", "spool send", NULL}},
};

static bool is_in_group(size_t group, const char *name)
{
    for (size_t i = 0; groups[group].names[i] != NULL; i++)
        if (strcmp(groups[group].names[i], name) == 0)
            return true;
    return false;
}

static bool is_in_any_group(const char *name)
{
    for (size_t i = 0; i < HF_LEN(groups); i++)
        if (is_in_group(i, name))
            return true;
    return false;
}

/* group == HF_LEN(groups): the commands of no group. */
static void print_group(const struct hf_cli *cli, FILE *to, size_t group)
{
    bool begun = false;

    for (size_t i = 0; i < cli->n_commands; i++) {
        const struct hf_cli_command *command = &cli->commands[i];
        if (group < HF_LEN(groups) ? !is_in_group(group, command->name) : is_in_any_group(command->name))
            continue;
        if (!begun)
            (void)fprintf(to, "%s:\n", group < HF_LEN(groups) ? groups[group].title : "Other");
        begun = true;
        (void)fprintf(to, "  %-*s %s\n", NAME_COLUMN, command->name, command->summary);
    }
}

void hf_cli_help_all(struct hf_cli *cli, FILE *to)
{
    (void)fprintf(to,
                  "holdfast " HF_VERSION ": releases, deltas, rollouts and the state of edge nodes\n\n"
                  "usage: %s COMMAND [OPTION...] [ARGUMENT...]\n\n",
                  cli->program);
    for (size_t i = 0; i <= HF_LEN(groups); i++)
        print_group(cli, to, i);
    (void)fprintf(to, "\nFor more: %s help COMMAND, and holdfast(1).\n%s", cli->program, exit_codes);
}

static bool is_of_group(const char *name, const char *word)
{
    size_t n = strlen(word);

    return strncmp(name, word, n) == 0 && name[n] == ' ';
}

bool hf_cli_is_group(const struct hf_cli *cli, const char *word)
{
    for (size_t i = 0; i < cli->n_commands; i++)
        if (is_of_group(cli->commands[i].name, word))
            return true;
    return false;
}

bool hf_cli_help_group(struct hf_cli *cli, FILE *to, const char *word)
{
    bool found = false;

    for (size_t i = 0; i < cli->n_commands; i++) {
        const struct hf_cli_command *command = &cli->commands[i];
        if (!is_of_group(command->name, word))
            continue;
        if (!found)
            (void)fprintf(to, "usage: %s %s COMMAND\n\n", cli->program, word);
        found = true;
        (void)fprintf(to, "  %-*s %s\n", NAME_COLUMN, command->name, command->summary);
    }
    return found;
}

/* Prints words from `column` on; lines after the first one begin at `indent`. */
static void print_words(FILE *to, struct hf_view line, size_t column, size_t indent)
{
    struct hf_view word;
    bool first = true;

    while (hf_view_split(&line, ' ', &word)) {
        bool wrap = !first && column + 1 + word.n > PAGE;
        if (wrap)
            (void)fprintf(to, "\n%*s", (int)indent, "");
        (void)fprintf(to, "%s%.*s", first || wrap ? "" : " ", (int)word.n, word.p);
        column = wrap ? indent + word.n : column + word.n + !first;
        first = false;
    }
    (void)fprintf(to, "\n");
}

/* Prints wrapped paragraphs. Lines that begin with a blank stay as they are. */
static void print_wrapped(FILE *to, const char *text)
{
    struct hf_view rest = hf_view_of(text), line;

    while (hf_view_split(&rest, '\n', &line)) {
        if (line.n > 0 && line.p[0] == ' ')
            (void)fprintf(to, "%.*s\n", (int)line.n, line.p);
        else
            print_words(to, line, 0, 0);
    }
}

static void print_usage(struct hf_cli *cli, const struct hf_cli_command *command)
{
    const struct hf_cli_option *option;

    (void)fprintf(cli->out, "usage: %s %s", cli->program, command->name);
    for (option = command->options; option != NULL && option->name != NULL; option++)
        if (option->required)
            (void)fprintf(cli->out, " --%s %s", option->name, option->value);
    for (option = command->options; option != NULL && option->name != NULL; option++)
        if (!option->required) {
            (void)fprintf(cli->out, " [OPTION...]");
            break;
        }
    (void)fprintf(cli->out, "%s%s\n\n", command->args[0] != '\0' ? " " : "", command->args);
}

void hf_cli_help_command(struct hf_cli *cli, const struct hf_cli_command *command)
{
    print_usage(cli, command);
    print_wrapped(cli->out, command->summary);
    if (command->details != NULL) {
        (void)fprintf(cli->out, "\n");
        print_wrapped(cli->out, command->details);
    }
    for (const struct hf_cli_option *option = command->options; option != NULL && option->name != NULL; option++) {
        char name[64], letter[8] = "    ", help[300];
        if (option == command->options)
            (void)fprintf(cli->out, "\n");
        if (option->letter != 0)
            (void)snprintf(letter, sizeof(letter), "-%c, ", option->letter);
        (void)snprintf(name, sizeof(name), "%s--%s%s%s", letter, option->name, option->value != NULL ? " " : "",
                       option->value != NULL ? option->value : "");
        int used = fprintf(cli->out, "  %-*s ", OPTION_COLUMN, name);
        (void)snprintf(help, sizeof(help), "%s%s", option->help, option->repeats ? " (may be repeated)" : "");
        print_words(cli->out, hf_view_of(help), (size_t)HF_MAX(used, 0), OPTION_COLUMN + 3);
    }
}

const struct hf_cli_option hf_cli_help_options[] = {{.name = NULL}};

enum { MAX_ASKED = 3 }; /* no command has more words than two */

/* Splits the words at blanks, too, because other commands print the name of a command in quotes. The words point into
 * `text`. Returns how many there are, at most MAX_ASKED. */
static size_t split_words(const struct hf_cli_args *args, char text[PAGE], const char *words[MAX_ASKED])
{
    size_t at = 0, n = 0;
    char *rest = text;

    for (size_t i = 0; i < args->n_words && at < PAGE; i++)
        at += (size_t)snprintf(text + at, PAGE - at, "%s ", args->words[i]);
    for (char *word = strsep(&rest, " "); word != NULL && n < MAX_ASKED; word = strsep(&rest, " "))
        if (*word != '\0')
            words[n++] = word;
    return n;
}

int hf_cli_help(struct hf_cli *cli, const struct hf_cli_args *args, struct hf_err *err)
{
    char text[PAGE] = "";
    const char *words[MAX_ASKED];
    size_t used = 0, n = split_words(args, text, words);

    if (n == 0) {
        hf_cli_help_all(cli, cli->out);
        return 0;
    }
    const struct hf_cli_command *command = hf_cli_find(cli, words, n, &used);
    if (command != NULL && used == n) {
        hf_cli_help_command(cli, command);
        return 0;
    }
    if (n == 1 && hf_cli_help_group(cli, cli->out, words[0]))
        return 0;
    struct hf_nearest nearest = {.typed = words[0]};
    for (size_t i = 0; i < cli->n_commands; i++)
        hf_nearest_try(&nearest, cli->commands[i].name);
    return hf_err_set(err, EINVAL, "unknown command '%s%s%s'%s%s%s", words[0], n > 1 ? " " : "", n > 1 ? words[1] : "",
                      nearest.best != NULL ? "; did you mean '" : "", nearest.best != NULL ? nearest.best : "",
                      nearest.best != NULL ? "'?" : "");
}

const struct hf_cli_option hf_cli_version_options[] = {
    HF_CLI_JSON("print as JSON"),
    {.name = NULL},
};

int hf_cli_version(struct hf_cli *cli, const struct hf_cli_args *args, HF_UNUSED struct hf_err *err)
{
    if (hf_cli_flag(args, "json"))
        (void)fprintf(cli->out, "{\"version\":\"" HF_VERSION "\"}\n");
    else
        (void)fprintf(cli->out, "holdfast " HF_VERSION "\n");
    return 0;
}
