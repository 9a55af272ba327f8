/* `login local` of the console line: user name and password before the first prompt. SSH logins come authenticated. */
#ifndef POSTERN_CLI_LOGIN_H
#define POSTERN_CLI_LOGIN_H

#include "cli/shell.h"

/* False: nobody logged in. True at once where the line asks for no login. */
bool login_console(struct shell *sh);

#endif
