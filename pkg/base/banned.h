/* base/banned.h - libc calls that the compiler refuses because a safer one exists; force-included into every file of
 * pkg/ and cmd/.
 *
 * The libc headers come before the pragma, because the pragma refuses each later use of a name, even a declaration. */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#pragma GCC poison strcpy strcat sprintf vsprintf strtok atoi atol atoll gets system popen gmtime localtime asctime    \
    ctime
