// Tokens of some of the two hundred who own the seeded prompts, for trying things out. They are signed with the secret in
// kasoku.toml, which everybody knows; where anything is at stake, callers come with tokens of an issuer of their own.

export const TOKENS = {
  "ada-aoyama":
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhZGEtYW95YW1hIiwiYXVkIjoicHJvbXB0cyIsImV4cCI6NDEwMjQ0NDgwMH0.FXppEQ2NuP998q6TZunqASxzLtSYarPYRS8NW01qQSU",
  "hana-ito":
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJoYW5hLWl0byIsImF1ZCI6InByb21wdHMiLCJleHAiOjQxMDI0NDQ4MDB9.n2fLoJiZ2prwLp8o8ZPnxO_AZ8NDFZwTMl03iJLeljo",
  "joon-berg":
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJqb29uLWJlcmciLCJhdWQiOiJwcm9tcHRzIiwiZXhwIjo0MTAyNDQ0ODAwfQ.s8dlnauAOX-dpC13_cF2p34mjPTD3DOChpPqHpps2sc",
  "mateo-costa":
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJtYXRlby1jb3N0YSIsImF1ZCI6InByb21wdHMiLCJleHAiOjQxMDI0NDQ4MDB9.EJ6Tu6SP_M31XPthmi56Lwm8KTQtKHNyQda8PXDWx_o",
  "priya-diallo":
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJwcml5YS1kaWFsbG8iLCJhdWQiOiJwcm9tcHRzIiwiZXhwIjo0MTAyNDQ0ODAwfQ.rMQ1-Dh-C8D8uFGpz7KP7tDgCasdF506YiJqhjQDUtk",
  "sofia-moreau":
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJzb2ZpYS1tb3JlYXUiLCJhdWQiOiJwcm9tcHRzIiwiZXhwIjo0MTAyNDQ0ODAwfQ.Fzayvaw61XPHpNsXZiVk0U0sIeR3l2r-Gjy1qwzclks",
};
