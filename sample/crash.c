/* A program with something to look up: symbols turn addresses back into these names and lines. */

int divide(int amount, int shares)
{
    return amount / shares;
}

int settle(int amount)
{
    return divide(amount, amount - 7) + 1;
}

#ifdef _WIN32
int wWinMainCRTStartup(void)
{
    return settle(7);
}
#else
void _start(void)
{
    settle(7);
    for (;;)
        ;
}
#endif
