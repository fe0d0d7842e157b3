#include "cli/help.h"

#include <errno.h>
#include <string.h>

#include "api/field/nearest.h"
#include "base/buf.h"
#include "cli/args.h"

enum { NAME_COLUMN = 18, OPTION_COLUMN = 28, PAGE = 100 };

static const char exit_codes[] =
    "Exit codes: 0 success; 1 failed (a file, a full disk, ...); 2 wrong command line, nothing happened;\n"
    "3 refused: a signature, a hash or the content itself; `wait`, `rollout watch`: not within --timeout;\n"
    "4 `status`, `node`, `wait`, `rollout watch`: the node or the rollout needs a person's attention;\n"
    "5 `status`, `node`: the status is old, and no agent renews it.\n";

void hf_cli_help_all(struct hf_cli *cli, FILE *to)
{
    (void)fprintf(to,
                  "holdfast " HF_VERSION ": releases, deltas, rollouts and the state of edge nodes\n\n"
                  "usage: %s COMMAND [OPTION...] [ARGUMENT...]\n\n",
                  cli->program);
    for (size_t i = 0; i < cli->n_commands; i++)
        (void)fprintf(to, "  %-*s %s\n", NAME_COLUMN, cli->commands[i].name, cli->commands[i].summary);
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

/* Prints wrapped paragraphs. Lines that begin with a blank stay as they are. */
static void print_wrapped(FILE *to, const char *text)
{
    struct hf_view rest = hf_view_of(text), line, word;

    while (hf_view_split(&rest, '\n', &line)) {
        size_t column = 0;
        if (line.n > 0 && line.p[0] == ' ') {
            (void)fprintf(to, "%.*s\n", (int)line.n, line.p);
            continue;
        }
        while (hf_view_split(&line, ' ', &word)) {
            bool wrap = column > 0 && column + 1 + word.n > PAGE;
            (void)fprintf(to, "%s%.*s", wrap ? "\n" : column > 0 ? " " : "", (int)word.n, word.p);
            column = wrap ? word.n : column + word.n + (column > 0);
        }
        (void)fprintf(to, "\n");
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
        char name[64], letter[8] = "    ";
        if (option == command->options)
            (void)fprintf(cli->out, "\n");
        if (option->letter != 0)
            (void)snprintf(letter, sizeof(letter), "-%c, ", option->letter);
        (void)snprintf(name, sizeof(name), "%s--%s%s%s", letter, option->name, option->value != NULL ? " " : "",
                       option->value != NULL ? option->value : "");
        (void)fprintf(cli->out, "  %-*s %s%s\n", OPTION_COLUMN, name, option->help,
                      option->repeats ? " (may be repeated)" : "");
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

int hf_cli_version(struct hf_cli *cli, const struct hf_cli_args *args, struct hf_err *err)
{
    (void)err;
    if (hf_cli_flag(args, "json"))
        (void)fprintf(cli->out, "{\"version\":\"" HF_VERSION "\"}\n");
    else
        (void)fprintf(cli->out, "holdfast " HF_VERSION "\n");
    return 0;
}
