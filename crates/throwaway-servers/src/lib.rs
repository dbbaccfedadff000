//! datain: throwaway-servers.
