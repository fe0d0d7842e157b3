/* SPDX-License-Identifier: Apache-2.0 */
/* Completion scripts for three shells, from the table of commands. For what is not in the table they ask
 * `holdfast completion values` (cli/completion_values.h). */
#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "cli/cli.h"
#include "cli/completion_values.h"

/* Returns the first word of a command's name. */
static struct hf_view first_word(const struct hf_cli_command *command)
{
    return (struct hf_view){command->name, strcspn(command->name, " ")};
}

/* Returns the second word, empty for commands of one word. */
static struct hf_view second_word(const struct hf_cli_command *command)
{
    size_t n = strcspn(command->name, " ");

    return hf_view_of(command->name[n] == ' ' ? command->name + n + 1 : "");
}

/* Returns true for the first row of a group, that is, of all rows with the same first word. */
static bool leads(const struct hf_cli *cli, size_t row)
{
    struct hf_view word = first_word(&cli->commands[row]);

    for (size_t i = 0; i < row; i++) {
        struct hf_view other = first_word(&cli->commands[i]);
        if (other.n == word.n && memcmp(other.p, word.p, word.n) == 0)
            return false;
    }
    return true;
}

static bool same_group(const struct hf_cli *cli, size_t a, size_t b)
{
    struct hf_view x = first_word(&cli->commands[a]), y = first_word(&cli->commands[b]);

    return x.n == y.n && memcmp(x.p, y.p, x.n) == 0;
}

static void print_first_words(const struct hf_cli *cli, FILE *to)
{
    const char *gap = "";

    for (size_t i = 0; i < cli->n_commands; i++)
        if (leads(cli, i)) {
            struct hf_view word = first_word(&cli->commands[i]);
            (void)fprintf(to, "%s%.*s", gap, (int)word.n, word.p);
            gap = " ";
        }
}

static void print_second_words(const struct hf_cli *cli, FILE *to, size_t leader)
{
    const char *gap = "";

    for (size_t i = leader; i < cli->n_commands; i++)
        if (same_group(cli, leader, i)) {
            (void)fprintf(to, "%s%s", gap, second_word(&cli->commands[i]).p);
            gap = " ";
        }
}

static void print_options(FILE *to, const struct hf_cli_command *command)
{
    for (const struct hf_cli_option *option = command->options; option != NULL && option->name != NULL; option++)
        (void)fprintf(to, "--%s ", option->name);
    (void)fprintf(to, "--help");
}

/* Prints the part that bash and zsh share: one case sets `choices` for commands, another one for options. */
static void print_cases(const struct hf_cli *cli, FILE *to)
{
    (void)fprintf(to, "  if [ \"$position\" -eq 1 ]; then choices='");
    print_first_words(cli, to);
    (void)fprintf(to, "'\n  elif [ \"$position\" -eq 2 ]; then\n    case $one in\n");
    for (size_t i = 0; i < cli->n_commands; i++)
        if (leads(cli, i) && second_word(&cli->commands[i]).n > 0) {
            struct hf_view word = first_word(&cli->commands[i]);
            (void)fprintf(to, "      %.*s) choices='", (int)word.n, word.p);
            print_second_words(cli, to, i);
            (void)fprintf(to, "' ;;\n");
        }
    (void)fprintf(to, "      help) choices='");
    print_first_words(cli, to);
    (void)fprintf(to, "' ;;\n      completion) choices='bash zsh fish' ;;\n    esac\n  fi\n"
                      "  case $current in\n  -*)\n    case \"$one $two\" in\n");
    for (size_t i = 0; i < cli->n_commands; i++) {
        const char *name = cli->commands[i].name;
        bool two = strchr(name, ' ') != NULL;
        (void)fprintf(to, two ? "      '%s') choices='" : "      '%s '*) choices='", name);
        print_options(to, &cli->commands[i]);
        (void)fprintf(to, "' ;;\n");
    }
    (void)fprintf(to, "    esac ;;\n  esac\n");
}

static void print_bash(const struct hf_cli *cli, FILE *to)
{
    (void)fprintf(to, "# bash completion for holdfast, printed by: holdfast completion bash\n"
                      "_holdfast() {\n"
                      "  local current=${COMP_WORDS[COMP_CWORD]} position=$COMP_CWORD one=${COMP_WORDS[1]-} "
                      "two=${COMP_WORDS[2]-} choices=\n");
    print_cases(cli, to);
    (void)fprintf(to, "  choices+=' '$(\"${COMP_WORDS[0]}\" completion values -- \"${COMP_WORDS[@]:1:COMP_CWORD}\" "
                      "</dev/null 2>/dev/null)\n"
                      "  if [ \"$current\" = = ]; then current=; fi\n"
                      "  if [ -n \"${choices// /}\" ]; then\n"
                      "    mapfile -t COMPREPLY < <(compgen -W \"$choices\" -- \"$current\")\n"
                      "  else\n"
                      "    compopt -o filenames 2>/dev/null\n"
                      "    mapfile -t COMPREPLY < <(compgen -f -- \"$current\")\n"
                      "  fi\n"
                      "}\n"
                      "complete -F _holdfast holdfast kubectl-holdfast\n");
}

static void print_zsh(const struct hf_cli *cli, FILE *to)
{
    (void)fprintf(to, "#compdef holdfast kubectl-holdfast\n"
                      "# zsh completion for holdfast, printed by: holdfast completion zsh\n"
                      "_holdfast() {\n"
                      "  local current=${words[CURRENT]} position=$((CURRENT - 1)) one=${words[2]} two=${words[3]}\n"
                      "  local choices=\n");
    print_cases(cli, to);
    (void)fprintf(to, "  choices+=' '$(${words[1]} completion values -- \"${(@)words[2,CURRENT]}\" </dev/null "
                      "2>/dev/null)\n"
                      "  if [ -n \"${choices// /}\" ]; then\n"
                      "    compadd -- ${=choices}\n"
                      "  else\n"
                      "    _files\n"
                      "  fi\n"
                      "}\n"
                      "compdef _holdfast holdfast kubectl-holdfast\n"
                      "if [ \"${funcstack[1]-}\" = _holdfast ]; then _holdfast; fi\n");
}

/* Prints text for single quotes of fish; escapes backslash and quote. */
static void print_quoted(FILE *to, const char *text)
{
    for (; *text != '\0'; text++)
        (void)fprintf(to, *text == '\'' || *text == '\\' ? "\\%c" : "%c", *text);
}

static void print_fish_options(FILE *to, const struct hf_cli_command *command)
{
    struct hf_view one = first_word(command), two = second_word(command);

    for (const struct hf_cli_option *option = command->options; option != NULL && option->name != NULL; option++) {
        (void)fprintf(to, "complete -c holdfast -n '__fish_seen_subcommand_from %.*s", (int)one.n, one.p);
        if (two.n > 0)
            (void)fprintf(to, "; and __fish_seen_subcommand_from %s", two.p);
        (void)fprintf(to, "' -l %s%s", option->name, option->value != NULL ? " -r -a '(__holdfast_values)'" : "");
        if (option->letter != 0)
            (void)fprintf(to, " -s %c", option->letter);
        (void)fprintf(to, " -d '");
        print_quoted(to, option->help);
        (void)fprintf(to, "'\n");
    }
}

static void print_fish(const struct hf_cli *cli, FILE *to)
{
    (void)fprintf(to, "# fish completion for holdfast, printed by: holdfast completion fish\n"
                      "function __holdfast_values\n"
                      "  holdfast completion values -- (commandline -opc)[2..-1] (commandline -ct) "
                      "</dev/null 2>/dev/null\n"
                      "end\n"
                      "complete -c kubectl-holdfast -w holdfast\n"
                      "complete -c holdfast -a '(__holdfast_values)'\n"
                      "complete -c holdfast -l help -s h -d 'print the help of the command'\n"
                      "complete -c holdfast -n '__fish_seen_subcommand_from completion' -f -a 'bash zsh fish'\n"
                      "complete -c holdfast -n '__fish_seen_subcommand_from help' -f -a '");
    print_first_words(cli, to);
    (void)fprintf(to, "'\n");
    for (size_t i = 0; i < cli->n_commands; i++) {
        const struct hf_cli_command *command = &cli->commands[i];
        struct hf_view one = first_word(command), two = second_word(command);
        if (leads(cli, i))
            (void)fprintf(to, "complete -c holdfast -n __fish_use_subcommand -f -a %.*s", (int)one.n, one.p);
        if (leads(cli, i) && two.n == 0) {
            (void)fprintf(to, " -d '");
            print_quoted(to, command->summary);
            (void)fprintf(to, "'");
        }
        if (leads(cli, i))
            (void)fprintf(to, "\n");
        if (two.n > 0) {
            (void)fprintf(to, "complete -c holdfast -n '__fish_seen_subcommand_from %.*s' -f -a %s -d '", (int)one.n,
                          one.p, two.p);
            print_quoted(to, command->summary);
            (void)fprintf(to, "'\n");
        }
        print_fish_options(to, command);
    }
}

const struct hf_cli_option hf_cli_completion_options[] = {{.name = NULL}};

int hf_cli_completion(struct hf_cli *cli, const struct hf_cli_args *args, struct hf_err *err)
{
    static const struct {
        const char *shell;
        void (*print)(const struct hf_cli *cli, FILE *to);
    } shells[] = {{"bash", print_bash}, {"zsh", print_zsh}, {"fish", print_fish}};

    if (strcmp(args->words[0], "values") == 0) {
        hf_cli_completion_values(cli, args->words + 1, args->n_words - 1);
        return 0;
    }
    if (args->n_words > 1)
        return hf_err_set(err, EINVAL, "unexpected argument '%s'", args->words[1]);
    for (size_t i = 0; i < HF_LEN(shells); i++)
        if (strcmp(args->words[0], shells[i].shell) == 0) {
            shells[i].print(cli, cli->out);
            return 0;
        }
    return hf_err_set(err, EINVAL, "unknown shell '%s': expected bash, zsh or fish", args->words[0]);
}
